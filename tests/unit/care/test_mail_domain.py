"""What DNS says about the sending domain."""

from typing import Any

import pytest

from digest.care.checks import Check
from digest.care.mail_domain import Posture, check_mail_domain
from digest.mail.dkim import dns_record, generate_key
from tests.dns_server import Zone, serve_zone

NAME = "news.example.com"
PEM = generate_key()
KEY = dns_record(PEM, domain=NAME, selector="digest")
GOOD: Zone = {
    (NAME, "TXT"): ['"v=spf1 mx -all"'],
    (NAME, "MX"): ["10 mx.example.com."],
    ("example.com", "MX"): ["10 mx.example.com."],
    ("mx.example.com", "A"): ["9.9.9.9"],
    (KEY.name, "TXT"): [" ".join(f'"{piece}"' for piece in KEY.strings)],
    (f"_dmarc.{NAME}", "TXT"): ['"v=DMARC1; p=none"'],
    ("9.9.9.9.in-addr.arpa", "PTR"): ["mx.example.com."],
}


def examine(zone: Zone, **changes: Any) -> dict[str, Check]:
    values: dict[str, Any] = {
        "mail_domain": NAME,
        "from_domains": frozenset({NAME}),
        "reply_domains": frozenset({"example.com"}),
        "sending_host": "mx.example.com",
        "dkim_domain": NAME,
        "dkim_selector": "digest",
        "dkim_pem": PEM,
        "signs": True,
    }
    with serve_zone(zone) as resolver:
        posture = Posture(**(values | changes))
        found: dict[str, Check] = {}
        for check in check_mail_domain(resolver, posture):
            if check.check not in found or found[check.check].ok:
                found[check.check] = check
        return found


def test_passes_a_domain_that_is_set_up_well() -> None:
    found = examine(GOOD)

    assert {name: check.ok for name, check in found.items()} == {
        "spf": True,
        "dkim": True,
        "dmarc": True,
        "alignment": True,
        "mx": True,
        "ptr": True,
    }


def test_another_published_key_fails() -> None:
    other = dns_record(generate_key(), domain=NAME, selector="digest")
    texts = [" ".join(f'"{piece}"' for piece in other.strings)]

    check = examine(GOOD | {(KEY.name, "TXT"): texts})["dkim"]

    assert "another key" in check.detail


def test_an_unpublished_key_fails() -> None:
    check = examine(GOOD | {(KEY.name, "TXT"): ['"v=DKIM1"']})["dkim"]

    assert "publishes no key" in check.detail


def test_no_key_at_all_fails_unless_the_relay_signs() -> None:
    assert examine(GOOD, dkim_pem=None)["dkim"].mend == "Run: digest dkim generate"
    assert examine(GOOD, dkim_pem=None, signs=False)["dkim"].ok is None


def test_siblings_of_one_organisation_are_aligned() -> None:
    zone = GOOD | {("_dmarc.example.com", "TXT"): ['"v=DMARC1; p=none"']}

    assert examine(zone, dkim_domain="mail.example.com")["alignment"].ok


def test_a_stranger_s_signature_is_not_aligned() -> None:
    check = examine(GOOD, dkim_domain="relay.example")["alignment"]

    assert check.ok is False
    assert "DIGEST_DKIM__DOMAIN" in check.mend


@pytest.mark.parametrize(
    ("records", "reason"),
    [([], "no MX record"), (["10 gone.example."], "no address"), (["0 ."], "null MX")],
)
def test_a_domain_that_takes_no_mail_fails(records: list[str], reason: str) -> None:
    check = examine(GOOD | {(NAME, "MX"): records})["mx"]

    assert reason in check.detail


@pytest.mark.parametrize("records", [[], ["other.example.com."]])
def test_an_address_that_does_not_lead_back_fails(records: list[str]) -> None:
    check = examine(GOOD | {("9.9.9.9.in-addr.arpa", "PTR"): records})["ptr"]

    assert check.ok is False


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.example"])
def test_a_host_without_a_public_address_is_not_asked_about(host: str) -> None:
    assert examine(GOOD, sending_host=host)["ptr"].ok is None


def test_a_server_that_fails_is_a_failed_check() -> None:
    check = examine({("broken", NAME): []})["spf"]

    assert check.ok is False
    assert "DNS did not answer" in check.detail
