"""Changing the address, taking data along, deletion: never by a forwarded letter."""

import json
import time

import pytest
from starlette.testclient import TestClient

from digest.domain.states import SuppressionReason
from digest.domain.tokens import Purpose
from digest.storage import subscribers, suppressions, tables
from digest.web.app import make_app
from tests.builders import NOW, add_newsletter
from tests.integration.web.conftest import Web

ALICE = "alice@example.test"
NEW = "alice@new.example"


@pytest.fixture
def preferences_url(web: Web) -> str:
    return "/preferences/" + web.token(Purpose.PREFERENCES, ALICE)


@pytest.fixture
def data_url(web: Web) -> str:
    return "/my-data/" + web.token(Purpose.RIGHTS, ALICE)


def letters(web: Web, kind: str) -> list[tuple[str, str]]:
    """Addresses and texts of the letters of a kind."""
    query = tables.notices.select().where(tables.notices.c.kind == kind)
    with web.service.db.read() as tx:
        return [(row.address, row.text) for row in tx.execute(query)]


def snapshot(web: Web) -> dict[str, list[tuple[object, ...]]]:
    with web.service.db.read() as tx:
        return {
            table.name: [tuple(row) for row in tx.execute(table.select())]
            for table in tables.metadata.sorted_tables
        }


def ask_to_move(web: Web, data_url: str, address: str = NEW) -> str:
    """Ask; return the path of the link in the letter to the new address."""
    web.client.post(data_url, data={"action": "move", "address": address})
    text = letters(web, "new-address")[-1][1]
    return "/new-address/" + text.partition("/new-address/")[2].split()[0]


@pytest.mark.parametrize("action", ["export", "delete", "move"])
def test_an_editions_link_does_none_of_it(
    web: Web, preferences_url: str, action: str
) -> None:
    before = snapshot(web)
    form = {"action": action, "sure": "1", "address": NEW}

    answer = web.client.post(preferences_url, data=form)

    assert answer.headers["Content-Type"].startswith("text/html")
    assert ALICE not in answer.text
    assert snapshot(web) == before


def test_it_has_a_link_mailed_to_the_address_on_file(
    web: Web, preferences_url: str, data_url: str
) -> None:
    answer = web.client.post(preferences_url, data={"action": "link"})

    address, text = letters(web, "rights")[0]
    assert address == ALICE
    assert data_url in text
    assert data_url not in answer.text
    assert ALICE not in answer.text


def test_the_page_says_the_same_whoever_asks_and_how_often(
    web: Web, preferences_url: str
) -> None:
    answers = [
        web.client.post(preferences_url, data={"action": "link"}) for _ in range(5)
    ]
    with web.service.db.write() as tx:
        suppressions.add(
            tx,
            address_hash=web.service.secrets.hash_address(ALICE),
            address=None,
            reason=SuppressionReason.BOUNCE,
            detail="",
            now=NOW,
        )
    suppressed = web.client.post(preferences_url, data={"action": "link"})

    assert {answer.text for answer in [*answers, suppressed]} == {answers[0].text}
    assert len(letters(web, "rights")) == 3


def test_looking_at_the_pages_changes_nothing(web: Web, data_url: str) -> None:
    """Attacks A7, A8."""
    agree_url = ask_to_move(web, data_url)
    before = snapshot(web)

    for url in (data_url, agree_url):
        for method in ("GET", "HEAD"):
            assert web.client.request(method, url).status_code == 200

    assert snapshot(web) == before


def test_data_come_as_a_file(web: Web, data_url: str) -> None:
    answer = web.client.post(data_url, data={"action": "export"})

    document = json.loads(answer.text)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Cache-Control"] == "no-store"
    assert document["address"] == ALICE
    assert document["known_since"] == NOW.isoformat()


def test_deleting_asks_once_more_and_then_forgets(web: Web, data_url: str) -> None:
    asked = web.client.post(data_url, data={"action": "delete"})
    with web.service.db.read() as tx:
        still = subscribers.find(tx, ALICE)

    done = web.client.post(data_url, data={"action": "delete", "sure": "1"})

    with web.service.db.read() as tx:
        found = subscribers.find(tx, ALICE)
    assert "Delete everything about you?" in asked.text
    assert still is not None
    assert found is None
    assert "Your data is gone" in done.text
    assert web.client.get(data_url).status_code == 404


def test_the_address_moves_once_the_new_one_agrees(web: Web, data_url: str) -> None:
    agree_url = ask_to_move(web, data_url)
    shown = web.client.get(agree_url)
    before = web.held(ALICE)

    done = web.client.post(agree_url)

    assert "Yes, send them here" in shown.text
    assert NEW in shown.text
    assert "Your address is changed" in done.text
    assert web.held(NEW).id == before.id
    assert [address for address, _ in letters(web, "moved")] == [ALICE]


def test_the_link_to_the_data_is_dead_after_the_move(web: Web, data_url: str) -> None:
    web.client.post(ask_to_move(web, data_url))

    seen = web.client.get(data_url)
    refused = web.client.post(data_url, data={"action": "export"})

    assert (seen.status_code, refused.status_code) == (410, 410)
    assert NEW not in seen.text + refused.text


def test_an_expired_link_has_a_new_one_mailed_to_the_address_on_file(
    web: Web, data_url: str
) -> None:
    web.client.post(ask_to_move(web, data_url))

    answer = web.client.post(data_url, data={"again": "1"})

    assert answer.status_code == 200
    assert [address for address, _ in letters(web, "rights")] == [NEW]
    assert NEW not in answer.text


def test_known_unknown_and_suppressed_addresses_are_answered_alike(
    web: Web, data_url: str
) -> None:
    """Attack A9."""
    with web.service.db.write() as tx:
        suppressions.add(
            tx,
            address_hash=web.service.secrets.hash_address("eve@example.test"),
            address=None,
            reason=SuppressionReason.COMPLAINT,
            detail="",
            now=NOW,
        )

    answers = [
        web.client.post(data_url, data={"action": "move", "address": address})
        for address in ("bob@example.test", "dan@example.test", "eve@example.test")
    ]

    bodies = {
        answer.text.replace(name, "X")
        for answer, name in zip(answers, ("bob@", "dan@", "eve@"), strict=True)
    }
    assert len(bodies) == 1
    assert {answer.status_code for answer in answers} == {200}
    assert len({str(dict(answer.headers)) for answer in answers}) == 1


@pytest.mark.parametrize(
    ("path", "purpose", "form"),
    [
        ("preferences", Purpose.PREFERENCES, {"action": "link"}),
        ("my-data", Purpose.RIGHTS, {"action": "move", "address": NEW}),
    ],
)
def test_how_long_it_takes_tells_nothing(
    web: Web, path: str, purpose: Purpose, form: dict[str, str]
) -> None:
    """Attack A9: answers leave at beats, whether a letter was written or not."""
    url = f"/{path}/{web.token(purpose, ALICE)}"
    app = make_app(web.service, answer_after=0.3)
    with TestClient(app, base_url=web.service.site.base_url) as client:
        taken = []
        for _ in range(2):
            started = time.monotonic()
            client.post(url, data=form)
            taken.append(time.monotonic() - started)

    assert min(taken) >= 0.29


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Please enter your e-mail address."),
        ("half@", "This is not a complete e-mail address."),
        ("a@b.example\r\nBcc: c@d.example", "This is not a complete"),
        (ALICE.upper(), "That is the address we have."),
    ],
)
def test_a_mistake_is_shown_beside_the_field(
    web: Web, data_url: str, typed: str, said: str
) -> None:
    answer = web.client.post(data_url, data={"action": "move", "address": typed})

    assert answer.status_code == 422
    assert said in answer.text
    assert 'role="alert"' in answer.text
    assert letters(web, "new-address") == []


def test_a_mistyped_link_opens_and_moves_nothing(web: Web) -> None:
    answers = [
        web.client.request(method, f"/{path}/mistyped")
        for path in ("my-data", "new-address")
        for method in ("GET", "POST")
    ]

    assert [answer.status_code for answer in answers] == [404] * 4


def test_a_replaced_link_to_the_new_address_says_so(web: Web, data_url: str) -> None:
    first = ask_to_move(web, data_url, "slip@new.example")
    ask_to_move(web, data_url)

    answer = web.client.post(first)

    assert answer.status_code == 410
    assert "Nothing has changed." in answer.text


def test_a_newsletter_in_arabic_does_all_of_it_in_arabic(web: Web) -> None:
    newsletter = add_newsletter(
        web.service.db, slug="arabic", name="الأسبوع", language="ar", direction="rtl"
    )
    with web.service.db.write() as tx:
        tx.execute(tables.subscriptions.update().values(newsletter_id=newsletter.id))
    data_url = "/my-data/" + web.token(Purpose.RIGHTS, ALICE)
    agree_url = ask_to_move(web, data_url)

    pages = [web.client.get(data_url).text, web.client.get(agree_url).text]

    assert all('<html lang="ar" dir="rtl">' in page for page in pages)
    assert "Change my address" not in pages[0]
    assert "عنوانك الجديد" in letters(web, "new-address")[0][1]
