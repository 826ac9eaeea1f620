"""The desk by mail: asked about each draft, reminded, told how it went; once each."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from digest.compose.approve import approve
from digest.compose.hold import hold
from digest.domain.calendar import Approval
from digest.domain.states import EditionState
from digest.storage import editions, newsletters
from digest.timetable import issues
from tests.builders import NOW
from tests.integration.schedule.newsroom import DESK, DUE, HOUR, SUNDAY, Newsroom
from tests.posting import mark_sent, notices_of

MINUTE = timedelta(minutes=1)
ASKED = DUE - 2 * HOUR


def mail(room: Newsroom) -> list[str]:
    """The kinds of letters to the desk, in order."""
    return [n.kind for n in notices_of(room.db) if n.kind.startswith("desk-")]


def letters(room: Newsroom, kind: str) -> list[Any]:
    return [n for n in notices_of(room.db) if n.kind == kind]


def name_desk(room: Newsroom, *addresses: str) -> None:
    with room.db.write() as tx:
        newsletters.replace(tx, replace(room.newsletter, desk=addresses))


def tick_all(room: Newsroom, *moments: datetime) -> None:
    for moment in moments:
        room.tick(moment)


def send_out(room: Newsroom, at: datetime) -> int:
    """Carry the edition's letters, so to speak; return its id."""
    (edition,) = room.editions()
    mark_sent(room.db, edition.id, 9, at=at)
    with room.db.write() as tx:
        editions.move(tx, edition, EditionState.SENT, now=at, finished_at=at)
    return edition.id


def test_a_draft_goes_to_the_desk_once(room: Newsroom) -> None:
    room.set(approval=Approval.REQUIRED)

    tick_all(room, ASKED, ASKED, ASKED + MINUTE)

    (letter,) = letters(room, "desk-ask")
    assert letter.address == "editor@news.example.test"
    assert letter.subject == "The Week No. 1: please look at the draft"
    assert "Sunday 12 May 2024, 19:00 (16:00 UTC)" in letter.text
    assert f"The council met on {SUNDAY} and agreed on a budget" in letter.text
    assert letter.text.count("https://news.example.test/review/") == 5
    assert room.actions()["edition.asked"] == 1


def test_everybody_at_the_desk_has_a_link_of_their_own(room: Newsroom) -> None:
    name_desk(room, "mona@news.example.test", "omar@news.example.test")
    room.set(approval=Approval.REQUIRED)

    room.tick(ASKED)

    first, second = letters(room, "desk-ask")
    links = [set(n.text.split()) & set(n.html.split('"')) for n in (first, second)]
    assert {first.address, second.address} == {
        "mona@news.example.test",
        "omar@news.example.test",
    }
    assert links[0].isdisjoint(links[1])


def test_two_schedulers_at_once_ask_once(shared_room: Newsroom) -> None:
    shared_room.set(approval=Approval.REQUIRED)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(shared_room.tick, [ASKED] * 4))

    assert mail(shared_room) == ["desk-ask"]


def test_reminders_come_ahead_of_the_hour_at_it_and_before_grace_ends(
    room: Newsroom,
) -> None:
    room.set(approval=Approval.REQUIRED)
    moments = (ASKED + 30 * MINUTE * n for n in range(18))

    tick_all(room, *moments)

    subjects = [n.subject for n in letters(room, "desk-reminder")]
    assert subjects == [
        "The Week No. 1 still waits for an approval",
        "The Week No. 1 did not go: nobody approved it",
        "The Week No. 1: last chance to approve it",
    ]


def test_of_an_issue_that_was_moved_the_desk_is_reminded_again(room: Newsroom) -> None:
    room.set(approval=Approval.REQUIRED)
    tick_all(room, ASKED, DUE - HOUR, DUE)
    later = DUE + 48 * HOUR
    local = (later + 3 * HOUR).replace(tzinfo=None)  # in Cairo
    issues.move_issue(
        room.db, newsletter="weekly", issue_date=SUNDAY, to=local, actor=DESK, now=DUE
    )

    tick_all(room, later - HOUR, later, later + MINUTE)

    assert [n.subject.split(" ", 3)[3] for n in letters(room, "desk-reminder")] == [
        "1 still waits for an approval",
        "1 did not go: nobody approved it",
        "1 still waits for an approval",
        "1 did not go: nobody approved it",
    ]


def test_a_host_that_slept_sends_only_the_last_reminder(room: Newsroom) -> None:
    room.set(approval=Approval.REQUIRED)
    room.tick(ASKED)

    tick_all(room, DUE + 5 * HOUR, DUE + 5 * HOUR + MINUTE)

    (reminder,) = letters(room, "desk-reminder")
    assert "last chance" in reminder.subject


def test_what_was_approved_needs_no_reminder(room: Newsroom) -> None:
    room.set(approval=Approval.REQUIRED)
    room.tick(ASKED)
    (edition,) = room.editions()
    approve(
        room.db,
        edition_id=edition.id,
        because="",
        templates=room.service.templates,
        site=room.service.site,
        posting=room.service.posting(),
        actor=DESK,
        now=ASKED,
    )

    tick_all(room, DUE - HOUR, DUE)

    assert mail(room) == ["desk-ask"]
    assert room.states() == ["sending"]


def test_an_issue_that_goes_by_itself_is_shown_and_may_be_held(room: Newsroom) -> None:
    room.set(approval=Approval.AUTO)
    room.tick(ASKED)
    (edition,) = room.editions()
    hold(room.db, edition_id=edition.id, because="Wait.", actor=DESK, now=ASKED)

    tick_all(room, DUE - HOUR, DUE)

    (asked,) = letters(room, "desk-ask")
    assert "It goes by itself on Sunday 12 May 2024, 19:00" in asked.text
    assert room.states() == ["draft"]
    assert "held by operator:mona: Wait." in (room.kept().trouble or "")
    assert "held by mona" in letters(room, "desk-reminder")[-1].text


def test_an_issue_that_goes_by_itself_needs_no_reminder(room: Newsroom) -> None:
    room.set(approval=Approval.AUTO)

    tick_all(room, ASKED, DUE - HOUR, DUE)

    assert mail(room) == ["desk-ask"]


def test_a_skipped_week_asks_nobody(room: Newsroom) -> None:
    room.set(approval=Approval.REQUIRED)
    issues.skip_issue(
        room.db, newsletter="weekly", issue_date=SUNDAY, actor=DESK, now=NOW
    )

    tick_all(room, ASKED, DUE)

    assert mail(room) == []


def test_the_desk_is_told_how_it_went_and_what_came_back_in_a_day(
    room: Newsroom,
) -> None:
    room.set(approval=Approval.AUTO)
    tick_all(room, ASKED, DUE)
    send_out(room, DUE + MINUTE)

    tick_all(room, DUE + 2 * MINUTE, DUE + 3 * MINUTE)
    first = mail(room)
    tick_all(room, *(DUE + hours * HOUR for hours in (23, 25, 26)))

    assert first == ["desk-ask", "desk-report"]
    assert mail(room) == [*first, "desk-report"]
    went, after = letters(room, "desk-report")
    assert went.subject == "The Week No. 1 went"
    assert "Sent: 1\nFailed: 0\n" in went.text
    assert after.subject == "The Week No. 1 after a day"


def test_what_went_long_ago_is_no_news(room: Newsroom) -> None:
    room.set(approval=Approval.AUTO)
    tick_all(room, DUE)
    send_out(room, DUE + MINUTE)

    room.tick(DUE + timedelta(days=4))

    assert "desk-report" not in mail(room)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_what_must_be_mended_stands_in_the_letter(
    room: Newsroom, language: str
) -> None:
    direction = "rtl" if language == "ar" else "ltr"
    changed = replace(
        room.newsletter, language=language, direction=direction, postal_address=""
    )
    with room.db.write() as tx:
        newsletters.replace(tx, changed)
    room.set(approval=Approval.REQUIRED)

    room.tick(ASKED)

    (letter,) = letters(room, "desk-ask")
    assert "postal address" in letter.text
    assert letter.language == language
