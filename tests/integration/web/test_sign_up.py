"""Signing up and confirming by the pages."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from digest.domain.states import SuppressionReason
from digest.domain.tokens import Purpose
from digest.settings.parts import InboundSettings
from digest.settings.signing_up import SignUpSettings
from digest.storage import subscribers, suppressions, tables
from digest.web.app import make_app
from digest.web.limits import network_of
from tests.builders import NOW, add_newsletter
from tests.integration.web.conftest import Web

Fields = Mapping[str, str | Sequence[str]]


def ripe_stamp(web: Web) -> str:
    """What a page carries that was shown a minute ago."""
    return web.service.secrets.tokens.issue(
        Purpose.FORM, web.newsletter.id, at=NOW - timedelta(minutes=1)
    )


def post(web: Web, address: str, **more: str) -> tuple[int, str]:
    fields = {"address": address, "stamp": ripe_stamp(web), **more}
    answer = web.client.post("/subscribe", data=fields)
    return answer.status_code, answer.text


def mailed_to(web: Web, address: str) -> list[str]:
    with web.service.db.read() as tx:
        query = tables.notices.select().where(tables.notices.c.address == address)
        return [row.kind for row in tx.execute(query)]


def pressed(html: str) -> dict[str, list[str]]:
    """Return the fields that the one button of a page sends."""
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(
        r'<input type="hidden" name="(\w+)" value="([^"]*)">', html
    ):
        fields.setdefault(name, []).append(value)
    return fields


def later(web: Web, after: timedelta) -> None:
    """Let the pages' clock go on."""
    app = web.client.app
    assert isinstance(app, Starlette)
    app.state.service = replace(web.service, clock=lambda: NOW + after)


@pytest.mark.parametrize("stamp", ["", "junk", "fresh", "old", "another purpose"])
def test_a_form_of_another_site_takes_one_button_more(web: Web, stamp: str) -> None:
    issue = web.service.secrets.tokens.issue
    stamps = {
        "fresh": issue(Purpose.FORM, web.newsletter.id, at=NOW),
        "old": issue(Purpose.FORM, web.newsletter.id, at=NOW - timedelta(days=2)),
        "another purpose": issue(Purpose.CONFIRM, 1, at=NOW - timedelta(minutes=1)),
    }

    asked = web.client.post(
        "/subscribe",
        data={
            "address": "dina@example.test",
            "sections": ["arts", "news", "gone"],
            "stamp": stamps.get(stamp, stamp),
        },
        headers={"Origin": "https://blog.example", "Referer": "https://blog.example/"},
    )
    before = mailed_to(web, "dina@example.test")
    later(web, timedelta(seconds=5))
    done = web.client.post("/subscribe", data=pressed(asked.text))

    assert (asked.status_code, before) == (200, [])
    assert "Yes, sign me up" in asked.text
    assert "Check your inbox" in done.text
    assert mailed_to(web, "dina@example.test") == ["confirmation"]
    assert web.held("dina@example.test").sections == ("arts", "news")


def test_a_program_does_not_get_through_by_the_button_either(web: Web) -> None:
    asked = web.client.post(
        "/subscribe", data={"address": "dina@example.test", "website": "x"}
    )
    later(web, timedelta(seconds=5))

    web.client.post("/subscribe", data=pressed(asked.text))

    assert mailed_to(web, "dina@example.test") == []


def test_the_answer_is_the_same_for_every_address(web: Web) -> None:
    """Attack A9: known, pending, suppressed, new."""
    with web.service.db.write() as tx:
        suppressions.add(
            tx,
            address_hash=web.service.secrets.hash_address("carl@example.test"),
            address=None,
            reason=SuppressionReason.COMPLAINT,
            detail="",
            now=NOW,
        )

    answers = {
        post(web, address)[1].replace(address, "ADDRESS")
        for address in (
            "alice@example.test",
            "bobby@example.test",
            "carl@example.test",
            "bob@example.test",
        )
    }

    assert len(answers) == 1
    assert mailed_to(web, "alice@example.test") == []


def test_an_answer_takes_its_time_whatever_the_work(web: Web) -> None:
    """Attack A9: the time would tell what the words do not."""
    with TestClient(make_app(web.service, answer_after=0.3)) as client:
        started = time.monotonic()
        client.post("/subscribe", data={"address": "alice@example.test"})

    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "dina",
        "dina@",
        "dina@@example.test",
        '"a@evil.test"@example.test',
        "dina@example.test\r\nBcc: x@example.test",
        "dina@example.test\x00",
        "<dina@example.test>",
        "dina@exam ple.test",
        "dina@example.test,eve@example.test",
        "=?utf-8?q?dina?=@example.test <x@y.test>",
    ],
)
def test_a_faulty_address_is_shown_again_with_what_is_wrong(
    web: Web, typed: str
) -> None:
    """Attack A26: nothing is stored that is not one plain address."""
    answer = web.client.post(
        "/subscribe", data={"address": typed, "sections": ["arts"]}
    )

    assert answer.status_code == 422
    assert 'aria-describedby="mistake"' in answer.text
    assert 'role="alert"' in answer.text
    assert 'value="arts" checked' in answer.text


def test_what_was_typed_is_kept_and_escaped(web: Web) -> None:
    status, html = post(web, '"><script>alert(1)</script>')

    assert status == 422
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_sections_and_the_wording_are_on_record(web: Web) -> None:
    web.client.post(
        "/subscribe",
        data={
            "address": "dina@example.test",
            "sections": ["arts", "gone"],
            "stamp": ripe_stamp(web),
        },
    )

    with web.service.db.read() as tx:
        row = tx.execute(tables.consents.select().order_by(tables.consents.c.id.desc()))
        evidence = row.mappings().first()
    assert web.held("dina@example.test").sections == ("arts",)
    assert evidence is not None
    assert evidence["source"] == "https://news.example.test/subscribe"
    assert evidence["wording"].startswith("By signing up you agree that The Week")
    assert web.newsletter.purpose in evidence["wording"]


def test_a_program_that_fills_the_hidden_field_gets_the_same_answer_only(
    web: Web,
) -> None:
    status, html = post(web, "dina@example.test", website="https://spam.test")

    assert status == 200
    assert "Check your inbox" in html
    assert mailed_to(web, "dina@example.test") == []


def test_one_network_is_limited_and_told_when_to_come_back(web: Web) -> None:
    """Attack A6."""
    most = web.service.settings.sign_up.per_network
    codes = [post(web, f"r{n}@example.test")[0] for n in range(most)]

    refused = web.client.post(
        "/subscribe", data={"address": "x@example.test", "stamp": ripe_stamp(web)}
    )

    assert codes == [200] * most
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "3600"
    assert "Too many at once" in refused.text


def test_the_limit_of_a_network_holds_for_all_processes(web: Web) -> None:
    most = web.service.settings.sign_up.per_network
    for n in range(most):
        post(web, f"r{n}@example.test")

    with TestClient(make_app(web.service, answer_after=0)) as another:
        refused = another.post(
            "/subscribe", data={"address": "x@example.test", "stamp": ripe_stamp(web)}
        )

    assert refused.status_code == 429


def test_when_everybody_had_enough_all_are_told_alike(web: Web) -> None:
    """The circuit breaker: nobody waits for a letter that does not come."""
    few = web.service.settings.model_copy(
        update={"sign_up": SignUpSettings(altogether=2)}
    )
    app = make_app(replace(web.service, settings=few), answer_after=0)
    fields = {"stamp": ripe_stamp(web)}
    with TestClient(app) as client:
        # bob's letter was the first one
        first = client.post("/subscribe", data={"address": "a@example.test"} | fields)
        known = client.post(
            "/subscribe", data={"address": "alice@example.test"} | fields
        )
        new = client.post("/subscribe", data={"address": "b@example.test"} | fields)

    assert [a.status_code for a in (first, known, new)] == [200, 429, 429]
    assert known.text == new.text


def test_where_mail_comes_in_the_page_offers_to_sign_up_by_mail(web: Web) -> None:
    settings = web.service.settings.model_copy(
        update={"inbound": InboundSettings(protocol="lmtp")}
    )
    app = make_app(replace(web.service, settings=settings), answer_after=0)
    with TestClient(app) as client:
        answer = client.post(
            "/subscribe", data={"address": "x@example.test", "stamp": ripe_stamp(web)}
        )

    assert "subscribe+weekly@news.example.test" in answer.text
    assert "subscribe+weekly@" not in post(web, "y@example.test")[1]


def test_the_page_carries_a_signed_time(web: Web) -> None:
    html = web.client.get("/").text

    found = re.search(r'name="stamp" value="([^"]+)"', html)
    assert found is not None
    token = web.service.secrets.tokens.read(Purpose.FORM, found[1], now=NOW)
    assert token is not None
    assert token.issued_at == NOW


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"x" * 20_000, "application/x-www-form-urlencoded", 413),
        (b"{}", "application/json", 422),
        (b"junk", "multipart/form-data", 400),
        (b"junk", "multipart/form-data; boundary=b; charset=nonsense", 400),
        (
            (
                b'--b\r\nContent-Disposition: form-data; name="address"\r\n\r\n'
                b"\\ud800@x.example\r\n--b--\r\n"
            ),
            "multipart/form-data; boundary=b; charset=unicode_escape",
            400,
        ),
    ],
)
def test_bodies_that_are_no_form_are_refused(
    web: Web, content: bytes, kind: str, status: int
) -> None:
    answer = web.client.post(
        "/subscribe", content=content, headers={"Content-Type": kind}
    )

    assert answer.status_code == status


def test_confirming_by_the_button_welcomes(web: Web) -> None:
    url = "/confirm/" + web.token(Purpose.CONFIRM, "bob@example.test")
    shown = web.client.get(url)

    answers = [web.client.post(url), web.client.post(url)]

    assert "Yes, send it to me" in shown.text
    assert [a.status_code for a in answers] == [200, 200]
    assert all("You are subscribed" in a.text for a in answers)
    assert web.held("bob@example.test").state == "active"
    assert mailed_to(web, "bob@example.test") == ["confirmation", "welcome"]


def test_never_write_is_a_button_with_a_way_back(web: Web) -> None:
    url = "/confirm/" + web.token(Purpose.CONFIRM, "bob@example.test")

    declined = web.client.post(url, data={"never": "1"})
    seen = web.client.get(url)
    _, asked = post(web, "bob@example.test")
    open_again = web.client.post(url, data={"undo": "1"})

    assert "Not me, never write" in open_again.text
    assert "We will not write" in declined.text
    assert "We will not write" in seen.text
    assert "Check your inbox" in asked
    assert mailed_to(web, "bob@example.test") == ["confirmation"]
    assert web.held("bob@example.test").state == "pending"


def old_link(web: Web, at: datetime) -> str:
    held = web.held("bob@example.test")
    token = web.service.secrets.tokens.issue(Purpose.CONFIRM, held.id, at=at)
    return f"/confirm/{token}"


def test_an_expired_link_offers_a_new_one(web: Web) -> None:
    url = old_link(web, NOW - timedelta(days=8))

    shown, pressed = web.client.get(url), web.client.post(url)
    renewed = web.client.post(url, data={"again": "1"})

    assert (shown.status_code, pressed.status_code) == (410, 410)
    assert "Send a new link" in pressed.text
    assert "Check your inbox" in renewed.text
    assert web.held("bob@example.test").state == "pending"


def test_a_mistyped_link_confirms_and_renews_nothing(web: Web) -> None:
    answers = [
        web.client.post("/confirm/xyz"),
        web.client.post("/confirm/xyz", data={"again": "1"}),
    ]

    assert [a.status_code for a in answers] == [404, 404]


def test_an_arabic_newsletter_speaks_arabic(web: Web) -> None:
    add_newsletter(
        web.service.db,
        slug="arabic",
        name="الأسبوع",
        language="ar",
        direction="rtl",
        purpose="رسالة واحدة كل أسبوع.",
    )

    html = web.client.get("/?newsletter=arabic").text

    assert '<html lang="ar" dir="rtl">' in html
    assert "Sign up" not in html
    assert "E-mail address" not in html


def test_one_inbox_gets_few_letters_whatever_it_is_called(web: Web) -> None:
    """Attack A6: many providers deliver all of these to one person."""
    names = [f"dina+{n}" for n in range(7)] + ["d.ina", "di.n.a"]

    answers = {post(web, f"{name}@example.test")[0] for name in names}

    mailed = [mailed_to(web, f"{name}@example.test") for name in names]
    assert answers == {200}
    assert len([letters for letters in mailed if letters]) == 3


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_network_is_what_one_line_has(address: str | None, network: str) -> None:
    assert network_of(address) == network


def test_an_unknown_reader_is_stored_once_confirmed_or_not(web: Web) -> None:
    post(web, "dina@example.test")
    post(web, "DINA@example.test")

    with web.service.db.read() as tx:
        rows = tx.execute(tables.subscribers.select()).all()
        found = subscribers.find(tx, "dina@example.test")
    assert len(rows) == 3
    assert found is not None
