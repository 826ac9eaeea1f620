"""Addresses: stored is what is written to and shown, or it is refused."""

import time
import unicodedata
from xml.etree.ElementTree import parse as parse_xml

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, strategies as st

from digest.domain.addresses import AddressError, EmailAddress, parse_address
from tests.material import find_shared

atoms = st.text("abcXYZ019#$&'*+/=?^_`{|}~-", min_size=1, max_size=12)
dot_atoms = st.lists(atoms, min_size=1, max_size=3).map(".".join)
labels = st.from_regex(r"[a-z][a-z0-9]{0,9}", fullmatch=True)
hosts = st.lists(labels, min_size=1, max_size=3).map(
    lambda each: ".".join([*each, "eg"])
)


def read_isemail(name: str) -> list[tuple[str, str, str]]:
    """Category, diagnosis, address; control characters are spelt U+2400 + n there."""
    found = []
    path = find_shared(f"corpora/isemail/test/{name}")
    for test in parse_xml(path).getroot().iter("test"):  # noqa: S314 - ours
        address = "".join(
            chr(ord(c) - 0x2400) if 0x2400 <= ord(c) < 0x2420 else c
            for c in test.findtext("address") or ""
        )
        category = test.findtext("category") or ""
        found.append((category, test.findtext("diagnosis") or "", address))
    return found


def is_accepted(text: str) -> bool:
    try:
        parse_address(text)
    except AddressError:
        return False
    return True


@pytest.mark.parametrize(
    ("given_text", "address", "domain"),
    [
        ("alice@example.com", "alice@example.com", "example.com"),
        (" \tAlice.B+news@Example.COM ", "Alice.B+news@example.com", "example.com"),
        ("a@news.example", "a@news.example", "news.example"),
        ("a@n.test", "a@n.test", "n.test"),
        ("a@bücher.example", "a@xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("o'brien@example.com", "o'brien@example.com", "example.com"),
        ("أحمد@example.com", "أحمد@example.com", "example.com"),
        ("jose\u0301@example.com", "jos\u00e9@example.com", "example.com"),
    ],
)
def test_keeps_the_local_part_and_folds_the_domain(
    given_text: str, address: str, domain: str
) -> None:
    found = parse_address(given_text)

    assert (found.address, found.domain) == (address, domain)


def test_is_unique_without_regard_to_case() -> None:
    one, other = parse_address("Alice@example.com"), parse_address("aLICE@EXAMPLE.com")

    assert one.key == other.key == "alice@example.com"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "alice",
        "alice@",
        "@example.com",
        "alice@example",
        "alice@localhost",
        "alice@test",
        "a@@example.com",
        "a@b@example.com",
        '"alice"@example.com',
        '"a@evil.example"@example.com',
        "alice@[192.0.2.1]",
        "alice@192.0.2.1",
        "alice(comment)@example.com",
        "<alice@example.com>",
        "Alice <alice@example.com>",
        "alice@example.com>",
        "ali ce@example.com",
        "alice@exam ple.com",
        "alice@example.com\nBcc: x@example.com",
        "alice\r\n@example.com",
        "alice\0@example.com",
        "alice@example.com\0",
        "alice@example.com\u2028",
        "alice%00@example.com",
        "user%example.com@relay.example",
        "host!user@example.com",
        "=?utf-8?q?alice=40evil.example=3e?=@example.com",
        "alice@example.com,bob@example.com",
        "alice\u202e@example.com",
        "alice\ue000address\ue001@example.com",
        "alice\ufffd@example.com",
        "\ud800@example.com",
        "alice@\ud800.com",
        "alice＠example.com",  # noqa: RUF001 - the full-width sign
        ".alice@example.com",
        "alice.@example.com",
        "al..ice@example.com",
        "alice@-example.com",
        "alice@example..com",
        "alice@xn--example.com",
        "alice@example.invalid",
        "a" * 65 + "@example.com",
        "é" * 33 + "@example.com",
        "alice@" + "a" * 64 + ".com",
        "a@" + "b." * 126 + "com",
    ],
)
def test_refuses_what_programs_read_differently(text: str) -> None:
    with pytest.raises(AddressError) as refusal:
        parse_address(text)

    assert "\n" not in str(refusal.value)


def test_measures_the_address_as_it_is_sent() -> None:
    host = ".".join(["é"] * 25) + ".com"  # four times as long as A-labels

    assert is_accepted(f"alice@{host}")
    with pytest.raises(AddressError, match="254 octets"):
        parse_address("a" * 64 + f"@{host}")


@given(dot_atoms, hosts)
def test_takes_every_plain_address_as_it_stands(local: str, host: str) -> None:
    text = f"{local}@{host}"

    found = parse_address(text) if "=?" not in local else None

    assert found in {None, EmailAddress(address=text, domain=host)}


@given(st.text(max_size=60), st.text(max_size=30))
def test_gives_back_a_clean_address_or_refuses(local: str, host: str) -> None:
    text = f"{local}@{host}"

    try:
        found = parse_address(text)
    except AddressError:
        return

    assert parse_address(found.address) == found
    assert found.address.isprintable()
    assert found.address.count("@") == 1
    assert found.domain.isascii()
    assert unicodedata.is_normalized("NFC", found.address)


@given(st.text("abAB09.-_+@\"'() \t<>%!=?é\u200fß", max_size=40))
def test_accepts_nothing_that_the_validator_refuses(text: str) -> None:
    try:
        parse_address(text)
    except AddressError:
        return

    try:
        validate_email(
            text.strip(" \t"),
            check_deliverability=False,
            test_environment=True,
            strict=True,
        )
    except EmailNotValidError as error:
        pytest.fail(str(error))


@pytest.mark.parametrize("name", ["tests.xml", "tests-original.xml"])
def test_refuses_every_faulty_address_of_isemail(name: str) -> None:
    faulty = [a for category, _, a in read_isemail(name) if category == "ISEMAIL_ERR"]

    accepted = [address for address in faulty if is_accepted(address)]

    assert faulty
    assert accepted == []


@pytest.mark.parametrize("name", ["tests.xml", "tests-original.xml"])
def test_accepts_the_valid_ones_but_for_relay_routes_and_bare_names(name: str) -> None:
    valid = [
        a for category, _, a in read_isemail(name) if category.startswith("ISEMAIL_VAL")
    ]

    refused = [address for address in valid if not is_accepted(address)]

    assert all(set(a) & set("%!") or "." not in a.split("@")[1] for a in refused)


@pytest.mark.parametrize("name", ["tests.xml", "tests-original.xml"])
def test_refuses_forms_that_only_the_grammar_knows(name: str) -> None:
    odd = [
        (diagnosis, address)
        for category, diagnosis, address in read_isemail(name)
        if category in {"ISEMAIL_RFC5321", "ISEMAIL_RFC5322", "ISEMAIL_DEPREC"}
    ]

    accepted = [pair for pair in odd if is_accepted(pair[1])]

    assert accepted == []


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000 + "@example.com",
        '"' * 100_000,
        "a@" * 50_000,
        "." * 100_000,
        " " * 100_000 + "a@example.com",
        "é" * 100_000,
        "a." * 127,
        "a@xn--" + "a" * 240,
        "<" * 254,
    ],
)
def test_spends_little_on_hostile_text(text: str) -> None:
    started = time.process_time()

    accepted = is_accepted(text)

    assert accepted == text.endswith(" a@example.com")
    assert time.process_time() - started < 0.05
