"""One-click unsubscription (RFC 8058), its page, preferences and erasure."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from digest.domain.tokens import Purpose
from digest.storage import opinions, subscriptions, tables
from tests.builders import NOW, add_newsletter
from tests.integration.web.conftest import Web

ALICE = "alice@example.test"


@pytest.fixture
def leave_url(web: Web) -> str:
    return "/u/" + web.token(Purpose.UNSUBSCRIBE, ALICE)


@pytest.fixture
def preferences_url(web: Web) -> str:
    return "/preferences/" + web.token(Purpose.PREFERENCES, ALICE)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://mail.example"},
        {"Origin": "null", "Cookie": "a=b", "Authorization": "Basic eA=="},
        {"Host": "elsewhere.test"},
    ],
)
def test_one_click_answers_200_to_anybody(
    web: Web, leave_url: str, headers: Mapping[str, str]
) -> None:
    """Checks U4, U5: no cookie, no redirect, any origin."""
    answer = web.client.post(
        leave_url,
        content=b"List-Unsubscribe=One-Click",
        headers={"Content-Type": "application/x-www-form-urlencoded", **headers},
        follow_redirects=False,
    )

    assert (answer.status_code, answer.text) == (200, "Unsubscribed.\n")
    assert "Set-Cookie" not in answer.headers
    assert web.held(ALICE).state == "unsubscribed"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", ""),
        (b"", "application/x-www-form-urlencoded"),
        (b"\xff\x00junk", "multipart/form-data; boundary=x"),
        (b"junk", "multipart/form-data"),
        (b"junk", "text/plain; charset=nonsense"),
        (b"x" * 1_000_000, "application/x-www-form-urlencoded"),
        (
            b'--b\r\nContent-Disposition: form-data; name="page"\r\n\r\n1\r\n--b--',
            "multipart/form-data; boundary=b",
        ),
    ],
)
def test_one_click_works_whatever_the_body_is(
    web: Web, leave_url: str, body: bytes, kind: str
) -> None:
    """Check U6, RFC 8058 §3.2."""
    headers = {"Content-Type": kind} if kind else {}

    answer = web.client.post(leave_url, content=body, headers=headers)

    assert answer.status_code == 200
    assert web.held(ALICE).state == "unsubscribed"


def test_the_token_counts_in_the_path_alone(web: Web, leave_url: str) -> None:
    """Check U11."""
    token = leave_url.removeprefix("/u/")

    answer = web.client.post("/u/mistyped", data={"token": token})

    assert answer.status_code == 200
    assert web.held(ALICE).state == "active"


def test_an_unknown_link_is_answered_like_a_known_one(web: Web, leave_url: str) -> None:
    """Check U9: no oracle."""
    known, unknown = web.client.post(leave_url), web.client.post("/u/" + "a" * 37)

    assert known.text == unknown.text
    assert known.status_code == unknown.status_code
    assert dict(known.headers) == dict(unknown.headers)


def test_leaving_twice_is_noted_once(web: Web, leave_url: str) -> None:
    codes = [web.client.post(leave_url).status_code for _ in range(3)]

    with web.service.db.read() as tx:
        actions = [row.action for row in tx.execute(tables.audit.select())]
    assert codes == [200, 200, 200]
    assert actions.count("subscription.left") == 1


def test_the_page_masks_the_address_and_offers_less_below(
    web: Web, leave_url: str
) -> None:
    html = web.client.get(leave_url).text

    assert "a•••@example.test" in html
    assert ALICE not in html
    assert html.index("<button>Unsubscribe") < html.index("Rather get less?")


def test_the_pages_button_can_be_undone(web: Web, leave_url: str) -> None:
    left = web.client.post(leave_url, data={"page": "1"})
    undone = web.client.post(leave_url, data={"undo": "1"})

    assert "You are out" in left.text
    assert "Undo" in left.text
    assert "You are back" in undone.text
    assert web.held(ALICE).state == "active"


def counted(web: Web) -> dict[str, int]:
    with web.service.db.read() as tx:
        found = opinions.count_reasons(tx, web.newsletter.id)
    return {str(reason): count for reason, count in found.items() if count}


def test_a_reason_is_asked_after_leaving_and_counted(web: Web, leave_url: str) -> None:
    left = web.client.post(leave_url, data={"page": "1"})
    told = web.client.post(leave_url, data={"page": "1", "reason": "too-much"})

    assert "Why did you leave?" not in web.client.get("/u/mistyped").text
    assert left.text.index("Undo") < left.text.index("Why did you leave?")
    assert "Your answer is counted" in told.text
    assert "Undo" in told.text
    assert counted(web) == {"too-much": 1}


def test_a_reason_leads_to_nobody(web: Web, leave_url: str) -> None:
    before = snapshot(web)
    web.client.post(leave_url, data={"page": "1"})
    left = snapshot(web)

    web.client.post(leave_url, data={"page": "1", "reason": "other"})

    after = snapshot(web)
    changed = [name for name, rows in after.items() if rows != left[name]]
    assert before != left
    # The network is counted, too, so that it cannot answer for all.
    assert set(changed) == {"leaving_reasons", "tallies"}
    assert after["leaving_reasons"] == [
        (1, web.newsletter.id, "other", NOW.date()),
    ]


@pytest.mark.parametrize("reason", ["", "<b>", "useful"])
def test_other_words_are_no_reason(web: Web, leave_url: str, reason: str) -> None:
    web.client.post(leave_url, data={"page": "1", "reason": reason})

    assert counted(web) == {}


def test_who_has_not_left_just_now_gives_no_reason(web: Web) -> None:
    web.client.post("/u/mistyped", data={"page": "1", "reason": "other"})

    assert counted(web) == {}


def test_one_network_cannot_answer_why_for_all(web: Web, leave_url: str) -> None:
    for _ in range(40):
        web.client.post(leave_url, data={"page": "1", "reason": "other"})

    assert counted(web)["other"] <= 30


def snapshot(web: Web) -> dict[str, list[tuple[object, ...]]]:
    with web.service.db.read() as tx:
        return {
            table.name: [tuple(row) for row in tx.execute(table.select())]
            for table in tables.metadata.sorted_tables
        }


def test_a_page_opened_again_after_leaving_says_so(web: Web, leave_url: str) -> None:
    web.client.post(leave_url)

    html = web.client.get(leave_url).text

    assert "You are out" in html
    assert "Undo" in html


def test_a_page_opened_long_after_leaving_shows_the_way_back(
    web: Web, leave_url: str
) -> None:
    with web.service.db.write() as tx:
        subscriptions.unsubscribe(tx, web.held(ALICE), now=NOW - timedelta(days=1))

    html = web.client.get(leave_url).text

    assert "You are out" in html
    assert "Undo" not in html
    assert "Sign up again" in html


def test_undo_by_an_unknown_link_brings_nobody_back(web: Web) -> None:
    answer = web.client.post("/u/mistyped", data={"undo": "1"})

    assert answer.status_code == 200
    assert "You are out" in answer.text


def test_preferences_are_saved_and_shown(web: Web, preferences_url: str) -> None:
    answer = web.client.post(
        preferences_url,
        data={"action": "save", "sections": ["arts", "gone"], "format": "text"},
    )

    held = web.held(ALICE)
    assert "Saved." in answer.text
    assert 'value="arts" checked' in answer.text
    assert (held.sections, held.format) == (("arts",), "text")


def test_a_pause_is_set_and_ended(web: Web, preferences_url: str) -> None:
    paused = web.client.post(preferences_url, data={"action": "pause", "weeks": "8"})
    state = web.held(ALICE).state
    resumed = web.client.post(preferences_url, data={"action": "resume"})

    assert "Paused until Sunday 7 July 2024" in paused.text
    assert state == "paused"
    assert "The pause is over" in resumed.text
    assert web.held(ALICE).state == "active"


def test_another_newsletter_is_confirmed_by_letter(
    web: Web, preferences_url: str
) -> None:
    add_newsletter(web.service.db, slug="monthly", name="The Month")

    answer = web.client.post(
        preferences_url, data={"action": "join", "newsletter": "monthly"}
    )

    with web.service.db.read() as tx:
        sent = tx.execute(tables.notices.select()).all()
    assert "We sent you a letter" in answer.text
    assert ALICE in [row.address for row in sent]


def test_a_newsletter_that_is_not_offered_is_not_joined(
    web: Web, preferences_url: str
) -> None:
    answer = web.client.post(
        preferences_url, data={"action": "join", "newsletter": "weekly"}
    )

    assert "We sent you a letter" not in answer.text


def test_several_newsletters_are_changed_on_one_page(
    web: Web, preferences_url: str
) -> None:
    monthly = add_newsletter(web.service.db, slug="monthly", name="The Month")
    give(web, monthly.id)

    paused = web.client.post(
        preferences_url,
        data={"action": "pause", "weeks": "4", "newsletter": "monthly"},
    )
    unknown = web.client.post(
        preferences_url,
        data={"action": "pause", "weeks": "4", "newsletter": "gone"},
    )

    assert paused.text.index('id="weekly"') < paused.text.index('id="monthly"')
    assert "No edition of The Month comes" in paused.text
    assert paused.text.count("End the pause") == 1
    assert 'role="status"' not in unknown.text
    assert web.held(ALICE).state == "active"


def test_everything_can_be_left_and_undone(web: Web, preferences_url: str) -> None:
    monthly = add_newsletter(web.service.db, slug="monthly", name="The Month")
    give(web, monthly.id)

    left = web.client.post(preferences_url, data={"action": "leave-all"})
    back = web.client.post(preferences_url, data={"action": "undo-all"})
    again = web.client.post(preferences_url, data={"action": "undo-all"})

    assert "You are out of everything." in left.text
    assert "Unsubscribe from all" not in left.text
    assert "Everything is as it was before." in back.text
    assert back.text.count("<section") == 2
    assert 'role="status"' not in again.text


def give(web: Web, newsletter_id: int) -> None:
    """Give alice another newsletter."""
    with web.service.db.write() as tx:
        held = subscriptions.add(
            tx,
            subscriber_id=web.held(ALICE).subscriber_id,
            newsletter_id=newsletter_id,
            now=NOW,
        )
        subscriptions.activate(tx, held, now=NOW, confirmed_at=NOW)


def test_a_reader_who_left_is_shown_the_way_back(
    web: Web, preferences_url: str, leave_url: str
) -> None:
    web.client.post(leave_url)

    html = web.client.get(preferences_url).text

    assert "You do not get any newsletter at present." in html
    assert 'aria-label="Get it: The Week"' in html


@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.CONFIRM])
def test_a_link_opens_its_own_page_only(web: Web, purpose: Purpose) -> None:
    """Attack A10."""
    token = web.token(purpose, ALICE)

    answer = web.client.post(f"/preferences/{token}", data={"action": "link"})

    assert answer.status_code == 404
