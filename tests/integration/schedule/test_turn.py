"""Turns of the schedule: each issue once, whatever hosts, clocks and people do."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import update

from digest.domain.calendar import Approval
from digest.domain.states import EditionState
from digest.schedule.turn import next_moment, tick
from digest.storage import editions, tables
from digest.timetable import issues, plans
from tests.builders import NOW, add_newsletter
from tests.integration.schedule.newsroom import DESK, DUE, HOUR, SUNDAY, Newsroom

WEEK = timedelta(days=7)
MINUTE = timedelta(minutes=1)


def test_cairos_autumn_has_one_edition_and_release_a_week(room: Newsroom) -> None:
    now = NOW + 21 * WEEK
    end = now + 6 * WEEK
    room.set(now=now)
    days = [SUNDAY + n * WEEK for n in range(21, 27)]
    for day in days:
        room.add_story(day)

    while now < end:
        room.tick(now)
        now = next_moment(room.service, now) or end

    made = room.editions()
    local = [e.released_at and e.released_at.astimezone(UTC) for e in made]
    assert [edition.issue_date for edition in made] == days
    assert {edition.state for edition in made} == {EditionState.SENDING}
    # 19:00 in Cairo is 16:00 UTC until Thursday 31 October, and 17:00 after it.
    hours = [(at.hour, at.minute) for at in local if at]
    assert hours == [(16, 0)] * 4 + [(17, 0)] * 2


def test_a_repeated_tick_changes_nothing_more(room: Newsroom) -> None:
    room.set()
    room.tick(DUE)
    before = room.actions()

    for minutes in range(3):
        room.tick(DUE + minutes * MINUTE)

    assert room.actions() == before
    assert before["edition.released"] == 1


def test_nothing_happens_before_its_time(room: Newsroom) -> None:
    room.set()

    room.tick(DUE - 2 * HOUR - MINUTE)

    assert room.editions() == []
    assert room.kept().collected_for is None


def test_the_edition_waits_composed_until_it_is_due(room: Newsroom) -> None:
    room.set()

    room.tick(DUE - 2 * HOUR)
    room.tick(DUE - MINUTE)

    assert room.states() == ["draft"]


def test_two_schedulers_at_once_make_one_edition_and_one_release(
    shared_room: Newsroom,
) -> None:
    shared_room.set()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(shared_room.tick, [DUE] * 4))

    actions = shared_room.actions()
    assert shared_room.states() == ["sending"]
    assert (actions["edition.composed"], actions["edition.released"]) == (1, 1)


def test_sources_are_collected_at_the_draft_and_again_before_the_hour(
    room: Newsroom,
) -> None:
    room.set()
    room.add_source("http://127.0.0.1:9/feed")

    for minutes in (120, 60, 15, 5, 0):
        room.tick(DUE - minutes * MINUTE)

    # Nobody listens there; the failure is kept with the source and stops nothing.
    assert room.actions()["source.failed"] == 2
    assert room.kept().collected_for == SUNDAY
    assert room.states() == ["sending"]


def test_an_edition_with_errors_stays_a_draft_and_says_why_early(
    room: Newsroom,
) -> None:
    room.set()
    with room.db.write() as tx:
        tx.execute(update(tables.newsletters).values(postal_address=""))
    room.tick(DUE - HOUR)
    early = room.kept().trouble

    room.tick(DUE)

    assert room.states() == ["draft"]
    assert "Preflight found an error" in (early or "")
    assert room.actions()["schedule.blocked"] == 1


def test_an_edition_mended_within_grace_goes(room: Newsroom) -> None:
    room.set()
    with room.db.write() as tx:
        tx.execute(update(tables.newsletters).values(postal_address=""))
    room.tick(DUE)
    with room.db.write() as tx:
        tx.execute(update(tables.newsletters).values(postal_address="1 Press Street"))

    room.tick(DUE + HOUR)

    assert room.states() == ["sending"]
    assert room.kept().trouble is None


def test_a_week_without_stories_says_so_once_and_goes_when_one_arrives(
    room: Newsroom,
) -> None:
    room.set(at=time(19, 0), start_on=SUNDAY + WEEK)
    due = DUE + WEEK
    for minutes in (120, 60, 0):
        room.tick(due - minutes * MINUTE)
    trouble, told = room.kept().trouble, room.actions()["schedule.blocked"]
    room.add_story(SUNDAY + WEEK)

    room.tick(due + HOUR)

    assert "No story of" in (trouble or "")
    assert told == 1
    assert room.states() == ["sending"]


def test_an_issue_nobody_reads_stays_approved_and_says_so(
    room: Newsroom,
) -> None:
    room.set()
    with room.db.write() as tx:
        tx.execute(update(tables.subscriptions).values(state="unsubscribed"))

    for hours in range(3):
        room.tick(DUE + hours * HOUR)

    assert room.states() == ["approved"]
    assert "no active readers" in (room.kept().trouble or "")
    assert room.actions()["schedule.blocked"] == 1


def test_a_cancelled_edition_is_neither_composed_again_nor_asked_about(
    room: Newsroom,
) -> None:
    room.set()
    room.tick(DUE - HOUR)
    with room.db.write() as tx:
        (edition,) = room.editions()
        editions.move(tx, edition, EditionState.CANCELLED, now=DUE)

    for hours in (0, 1, 7):
        room.tick(DUE + hours * HOUR)

    assert room.states() == ["cancelled"]
    assert room.actions()["schedule.late"] == 0


def test_trouble_is_forgotten_when_an_operator_settles_it(room: Newsroom) -> None:
    room.set(approval=Approval.REQUIRED)
    room.tick(DUE)
    with room.db.write() as tx:
        (edition,) = room.editions()
        editions.move(tx, edition, EditionState.CANCELLED, now=DUE)

    room.tick(DUE + HOUR)

    assert room.kept().trouble is None


def test_a_moved_issue_goes_at_its_new_time_under_its_own_date(
    room: Newsroom,
) -> None:
    room.set()
    to = datetime.fromisoformat("2024-05-13 08:30")
    issues.move_issue(
        room.db, newsletter="weekly", issue_date=SUNDAY, to=to, actor=DESK, now=NOW
    )

    room.tick(DUE)
    early = room.states()
    room.tick(datetime(2024, 5, 13, 5, 30, tzinfo=UTC))

    (edition,) = room.editions()
    assert early == []
    assert (edition.issue_date, edition.state) == (SUNDAY, EditionState.SENDING)


def test_a_skipped_issue_does_not_appear(room: Newsroom) -> None:
    room.set()
    issues.skip_issue(
        room.db, newsletter="weekly", issue_date=SUNDAY, actor=DESK, now=NOW
    )

    for hours in (0, 8):
        room.tick(DUE + hours * HOUR)

    assert room.editions() == []
    assert room.kept().late_for is None


def test_a_disabled_schedule_does_nothing(room: Newsroom) -> None:
    room.set()
    plans.disable_schedule(room.db, newsletter="weekly", actor=DESK, now=NOW)

    room.tick(DUE)

    assert room.editions() == []
    assert next_moment(room.service, DUE) is None


def test_one_broken_schedule_does_not_stop_the_others(room: Newsroom) -> None:
    plan = room.set().plan
    broken = add_newsletter(room.db, slug="broken")
    plans.set_schedule(room.db, newsletter="broken", plan=plan, actor=DESK, now=NOW)
    with room.db.write() as tx:
        rows = tables.schedules
        tx.execute(
            update(rows)
            .where(rows.c.newsletter_id == broken.id)
            .values(zone="Nowhere/Gone")
        )

    tick(room.service, DUE)

    assert room.states() == ["sending"]


def test_the_next_moment_is_a_collection_or_an_issue(room: Newsroom) -> None:
    room.set()

    again = DUE - 15 * MINUTE
    given = (NOW, DUE - 2 * HOUR, again, DUE)

    moments = [next_moment(room.service, now) for now in given]

    assert moments == [DUE - 2 * HOUR, again, DUE, DUE + WEEK - 2 * HOUR]
