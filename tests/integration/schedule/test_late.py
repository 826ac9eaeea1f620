"""Late issues: within grace they go, past it an operator is asked, once."""

from dataclasses import replace
from datetime import datetime, timedelta

from digest.compose.approve import approve
from digest.domain.calendar import Approval
from digest.domain.states import EditionState
from digest.schedule.turn import tick
from digest.storage import (
    editions,
)
from tests.builders import NOW, SITE
from tests.integration.schedule.newsroom import DESK, DUE, HOUR, SUNDAY, Newsroom

WEEK = timedelta(days=7)
MINUTE = timedelta(minutes=1)


def approve_by_hand(room: Newsroom, now: datetime) -> None:
    (edition,) = room.editions()
    approve(
        room.db,
        edition_id=edition.id,
        because="read it",
        templates=room.service.templates,
        site=SITE,
        posting=room.service.posting(),
        actor=DESK,
        now=now,
    )


def test_an_issue_that_needs_an_approval_waits_for_it_and_says_so_once(
    room: Newsroom,
) -> None:
    room.set(approval=Approval.REQUIRED)

    for hours in range(4):
        room.tick(DUE + hours * HOUR)

    assert room.states() == ["draft"]
    assert room.actions()["schedule.blocked"] == 1
    assert "waits for an approval" in (room.kept().trouble or "")


def test_an_approval_within_grace_releases_it(room: Newsroom) -> None:
    room.set(approval=Approval.REQUIRED)
    room.tick(DUE)
    approve_by_hand(room, DUE + 5 * HOUR)

    room.tick(DUE + 6 * HOUR)

    assert room.states() == ["sending"]
    assert room.kept().trouble is None


def test_an_approval_in_time_releases_it_when_due(room: Newsroom) -> None:
    room.set(approval=Approval.REQUIRED)
    room.tick(DUE - HOUR)
    approve_by_hand(room, DUE - HOUR)

    room.tick(DUE - MINUTE)
    early = room.states()
    room.tick(DUE)

    assert (early, room.states()) == (["approved"], ["sending"])


def test_an_approval_past_grace_is_not_acted_upon(room: Newsroom) -> None:
    room.set(approval=Approval.REQUIRED)
    room.tick(DUE)
    approve_by_hand(room, DUE + 7 * HOUR)

    for hours in (7, 8, 24):
        room.tick(DUE + hours * HOUR)

    assert room.states() == ["approved"]
    assert room.actions()["schedule.late"] == 1
    assert "past its grace" in (room.kept().trouble or "")


def test_a_host_that_slept_within_grace_sends_once(room: Newsroom) -> None:
    room.set()

    for hours in (5, 6, 7, 8):
        room.tick(DUE + hours * HOUR)

    assert room.states() == ["sending"]
    assert room.actions()["edition.released"] == 1
    assert room.actions()["schedule.late"] == 0


def test_a_host_that_slept_past_grace_asks_about_each_issue_once(
    room: Newsroom,
) -> None:
    room.set()

    for _ in range(3):
        room.tick(DUE + 2 * WEEK + 7 * HOUR)

    assert room.editions() == []
    assert room.actions()["schedule.late"] == 3


def test_marks_made_while_the_clock_was_a_year_ahead_hide_nothing(
    room: Newsroom,
) -> None:
    room.set()
    room.tick(DUE + 52 * WEEK + HOUR)
    room.tick(DUE + 52 * WEEK + 24 * HOUR)
    wrong = room.kept().late_for

    room.tick(DUE - HOUR)
    collected = room.kept().collected_for
    room.tick(DUE + 7 * HOUR)

    assert wrong == SUNDAY + 52 * WEEK
    assert collected == SUNDAY
    assert room.kept().late_for == SUNDAY


def test_a_question_asked_while_the_clock_was_a_year_ahead_hides_none_a_year_later(
    room: Newsroom,
) -> None:
    room.set()
    room.tick(DUE + 52 * WEEK + 24 * HOUR)
    room.tick(DUE)
    asked = room.actions()["schedule.late"]

    room.tick(DUE + 50 * WEEK + 24 * HOUR)

    # Five weeks back, of which the wrong clock had asked about some already.
    dates = room.asked_dates()
    assert len(dates) == len(set(dates)) > asked
    assert SUNDAY + 46 * WEEK in dates


def test_a_clock_set_back_a_week_releases_nothing_again(room: Newsroom) -> None:
    room.set(now=NOW - 4 * WEEK)
    for weeks in (0, 1):
        room.tick(DUE + weeks * WEEK)
    before = room.actions()

    room.tick(DUE)
    room.tick(DUE + HOUR)

    assert room.actions()["edition.released"] == before["edition.released"]


def test_a_released_issue_is_not_late(room: Newsroom) -> None:
    room.set()
    room.tick(DUE)

    room.tick(DUE + 24 * HOUR)

    assert room.actions()["schedule.late"] == 0


def test_an_edition_given_a_time_by_hand_is_left_alone(room: Newsroom) -> None:
    room.set(approval=Approval.REQUIRED)
    room.tick(DUE - HOUR)
    approve_by_hand(room, DUE - HOUR)
    with room.db.write() as tx:
        (edition,) = room.editions()
        later = DUE + 24 * HOUR
        editions.move(tx, edition, EditionState.SCHEDULED, now=DUE, scheduled_at=later)

    for hours in (0, 7):
        room.tick(DUE + hours * HOUR)

    assert room.states() == ["scheduled"]
    assert room.actions()["schedule.late"] == 0


def test_a_schedule_set_after_the_hour_begins_next_week(room: Newsroom) -> None:
    room.set(now=DUE + HOUR)

    for hours in (1, 8):
        room.tick(DUE + hours * HOUR)

    assert room.editions() == []
    assert room.kept().late_for is None


def test_a_turn_that_took_longer_than_the_grace_asks_too(room: Newsroom) -> None:
    room.set()
    room.tick(DUE - HOUR)
    slept = replace(room.service, clock=lambda: DUE + 6 * HOUR + MINUTE)

    tick(slept, DUE)

    assert room.states() == ["draft"]
    assert room.asked_dates() == [SUNDAY]
