"""Breaking into the plan: sent now, moved, left out, held by an embargo."""

from datetime import timedelta

from sqlalchemy import update

from digest.cli.face import CLI
from digest.domain.calendar import Approval
from digest.domain.states import EditionState
from digest.send import release
from digest.storage import editions, tables
from digest.timetable import issues
from tests.integration.schedule.newsroom import DESK, DUE, HOUR, SUNDAY, Newsroom
from tests.integration.schedule.test_late import approve_by_hand

LATER = (DUE + 2 * HOUR).replace(tzinfo=None) + timedelta(hours=3)  # in Cairo


def give_time(room: Newsroom, *, hours: int) -> None:
    """Approve the issue's edition, and give it a time by hand."""
    room.set(approval=Approval.REQUIRED)
    room.tick(DUE - HOUR)
    approve_by_hand(room, DUE - HOUR)
    with room.db.write() as tx:
        (edition,) = room.editions()
        at = DUE + hours * HOUR
        editions.move(tx, edition, EditionState.SCHEDULED, now=DUE, scheduled_at=at)


def test_an_issue_sent_by_hand_before_its_hour_does_not_go_again(
    room: Newsroom,
) -> None:
    room.set(approval=Approval.REQUIRED)
    room.tick(DUE - 2 * HOUR)
    approve_by_hand(room, DUE - 2 * HOUR)
    room.service.release(room.editions()[0].id, actor=CLI)

    for hours in (-1, 0, 1, 7):
        room.tick(DUE + hours * HOUR)

    assert room.states() == ["sending"]
    assert room.actions()["edition.released"] == 0


def test_skipping_takes_back_a_time_given_by_hand(room: Newsroom) -> None:
    give_time(room, hours=1)

    issues.skip_issue(
        room.db, newsletter="weekly", issue_date=SUNDAY, actor=DESK, now=DUE
    )

    for hours in (1, 7):
        room.tick(DUE + hours * HOUR)
    assert room.states() == ["approved"]
    assert release.due(room.db, now=DUE + 9 * HOUR) == []


def test_moving_puts_the_new_time_in_the_place_of_one_given_by_hand(
    room: Newsroom,
) -> None:
    give_time(room, hours=1)

    issues.move_issue(
        room.db, newsletter="weekly", issue_date=SUNDAY, to=LATER, actor=DESK, now=DUE
    )

    room.tick(DUE + HOUR)
    before = room.states()
    room.tick(DUE + 2 * HOUR)
    assert (before, room.states()) == (["approved"], ["sending"])


def test_an_embargo_holds_the_issue_and_it_goes_when_that_ends(room: Newsroom) -> None:
    room.set()
    room.tick(DUE - HOUR)
    with room.db.write() as tx:
        tx.execute(update(tables.articles).values(embargo_until=DUE + 2 * HOUR))

    room.tick(DUE)
    held, why = room.states(), room.kept().trouble
    room.tick(DUE + 2 * HOUR)

    assert held == ["draft"]
    assert why is not None
    assert "under embargo until 2024-05-12 21:00" in why
    assert room.states() == ["sending"]
