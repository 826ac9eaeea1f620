"""Weeks of the real runner: one issue for each date, whatever clock and host do."""

import asyncio
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from digest.bootstrap import Service
from digest.domain.calendar import Approval, Schedule
from digest.domain.rhythms import LAST, Rhythm, monthly, monthly_on, weekly
from digest.domain.states import EditionState
from digest.storage.engine import Database
from tests.integration.schedule.newsroom import HOUR, furnish
from tests.integration.schedule.simulation import Trouble, World

WEEK = timedelta(days=7)
MINUTE = timedelta(minutes=1)
# A week and a half before each zone's clocks change, both ways.
CHANGES = {
    "Africa/Cairo": ("2024-04-15", "2024-10-21"),
    "Europe/Berlin": ("2025-03-19", "2025-10-16"),
    "America/New_York": ("2025-02-27", "2025-10-23"),
    "Australia/Lord_Howe": ("2025-03-27", "2025-09-25"),
    "Asia/Riyadh": ("2025-03-19", "2025-10-16"),
}
STEPS = (HOUR, -HOUR, -WEEK, timedelta(days=365), None)

hours = st.sampled_from(
    [time(0, 30), time(1, 30), time(2, 15), time(2, 30), time(19), time(23, 30)]
)
rhythms = st.builds(weekly, st.integers(0, 6)) | st.sampled_from(
    [weekly(0, 3), monthly(31), monthly_on([LAST], [4])]
)
# When, in minutes after the start; for how many minutes; and what.
troubles = st.lists(
    st.tuples(
        st.integers(0, 26 * 24 * 60), st.integers(1, 600), st.sampled_from(STEPS)
    ),
    min_size=2,
    max_size=8,
)


Ills = Sequence[tuple[int, int, timedelta | None]]
Make = Callable[..., World]


@pytest.fixture
def make(service: Service, sqlite_template: Path, tmp_path: Path) -> Iterator[Make]:
    """Makes worlds of four weeks, each with a database of its own."""
    opened: list[Database] = []

    def make_world(plan: Schedule, start: str, ills: Ills = ()) -> World:
        path = tmp_path / f"world-{len(opened)}.db"
        shutil.copy(sqlite_template, path)
        opened.append(Database(f"sqlite:///{path}"))
        begins = datetime.fromisoformat(start).replace(tzinfo=UTC)
        return World(
            room=furnish(replace(service, db=opened[-1])),
            plan=plan,
            start=begins,
            end=begins + 4 * WEEK,
            troubles=[
                Trouble(at=begins + at * MINUTE, lasts=lasts * MINUTE, error=error)
                for at, lasts, error in ills
            ],
        )

    yield make_world
    for db in opened:
        db.close()


def in_zone(zone: str, rhythm: Rhythm, at: time) -> Schedule:
    return Schedule(rhythm=rhythm, at=at, zone=zone, approval=Approval.AUTO)


@pytest.mark.parametrize("zone", CHANGES)
@settings(
    max_examples=2,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(when=st.tuples(rhythms, hours), season=st.integers(0, 1), ills=troubles)
def test_each_issue_goes_once_at_its_hour_whatever_the_clock_does(
    make: Make, zone: str, when: tuple[Rhythm, time], season: int, ills: Ills
) -> None:
    world = make(in_zone(zone, *when), CHANGES[zone][season], ills)

    asyncio.run(world.live())

    _, broken = world.judge()
    assert broken == []


@pytest.mark.parametrize(
    ("weekday", "at", "start", "released"),
    [
        # 00:30 on the Friday in April whose 00:00 is followed by 01:00.
        (
            4,
            time(0, 30),
            "2024-04-15",
            ["18T22:30", "25T22:00", "02T21:30", "09T21:30"],
        ),
        (
            3,
            time(23, 30),
            "2024-04-15",
            ["18T21:30", "25T21:30", "02T20:30", "09T20:30"],
        ),
        # 23:30 on the Thursday in October that has two of them.
        (
            3,
            time(23, 30),
            "2024-10-21",
            ["24T20:30", "31T20:30", "07T21:30", "14T21:30"],
        ),
        (
            4,
            time(0, 30),
            "2024-10-21",
            ["24T21:30", "31T22:30", "07T22:30", "14T22:30"],
        ),
    ],
)
def test_issues_at_half_an_hour_from_cairos_midnight_changes_go_at_their_instants(
    make: Make, weekday: int, at: time, start: str, released: list[str]
) -> None:
    world = make(in_zone("Africa/Cairo", weekly(weekday), at), start)

    asyncio.run(world.live())

    gone = [edition.released_at for edition in world.room.editions()]
    assert [f"{instant:%dT%H:%M}" for instant in gone if instant] == released


def test_a_clock_stepped_every_way_over_the_hour_sends_nothing_twice(
    make: Make,
) -> None:
    plan = in_zone("Africa/Cairo", weekly(6), time(19))
    # Due on Sundays at 17:00 UTC: for some time before and after each of them.
    due = [(6 + 7 * week) * 24 * 60 + 17 * 60 for week in range(3)]
    ills = [
        *((due[0] - 30, 60, HOUR), (due[0] + 90, 10, -HOUR), (due[0] + 200, 60, -WEEK)),
        *((due[1] - 5, 10, None), (due[1] + 30, 500, timedelta(days=365))),
        *((due[2] - 60, 300, -WEEK), (due[2] + 600, 60, -HOUR)),
    ]
    world = make(plan, "2024-02-05", ills)

    asyncio.run(world.live())

    found, broken = world.judge()
    assert broken == []
    assert found == {"late": 3}


def test_a_host_that_is_down_past_its_grace_asks_and_goes_on(make: Make) -> None:
    plan = in_zone("Europe/Berlin", weekly(2), time(2, 30))
    world = make(plan, "2025-01-06", [(2 * 24 * 60, 600, None)])

    asyncio.run(world.live())

    _, broken = world.judge()
    assert broken == []
    states = [edition.state for edition in world.room.editions()]
    assert len(world.asked_about()) == 1
    assert states == [EditionState.DRAFT, *[EditionState.SENDING] * 3]
