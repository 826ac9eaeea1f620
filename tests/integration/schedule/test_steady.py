"""The runner under a clock that was set: nothing goes until it was left alone."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain, repeat

import pytest

from digest.bootstrap import find_uptime
from digest.schedule.runner import Runner
from digest.storage.leader import Leadership
from tests.builders import NOW
from tests.integration.schedule.newsroom import DUE, HOUR, Newsroom
from tests.posting import notices_of

LONG = timedelta(hours=1)


@dataclass
class Host:
    """A host's clock, and the seconds since it was started."""

    room: Newsroom
    shown = NOW
    uptime = 0.0

    def runner(self) -> Runner:
        service = replace(self.room.service, clock=lambda: self.shown)
        lock = Leadership(self.room.db, service.settings.home / "schedule.lock")
        return Runner(
            service, lock, heartbeat=LONG, patience=LONG, uptime=lambda: self.uptime
        )

    def pass_time(self, time: timedelta) -> None:
        self.shown += time
        self.uptime += time.total_seconds()


@pytest.fixture
def host(room: Newsroom) -> Host:
    room.set()
    return Host(room)


async def work(runner: Runner) -> None:
    """Turn twice: what one prepares the other releases."""
    for _ in range(2):
        await runner.turn()
        await runner.prepared()


def live(host: Host, *steps: timedelta, real: timedelta = HOUR) -> None:
    """Work, then once after each step of the clock and once `real` later."""

    async def go() -> None:
        runner = host.runner()
        runner.start()
        await work(runner)
        for step in steps:
            host.shown += step
            await work(runner)
        host.pass_time(real)
        await work(runner)
        await runner.close()

    asyncio.run(go())


def test_an_hour_that_comes_by_a_step_sends_nothing_early(host: Host) -> None:
    forward = DUE - NOW

    live(host, forward, -forward)

    assert host.room.actions()["edition.released"] == 0
    assert host.room.editions() == []


def test_a_clock_that_stays_where_it_was_set_is_believed(host: Host) -> None:
    live(host, DUE - NOW, real=timedelta(minutes=5))

    assert host.room.states() == ["sending"]


def test_a_step_in_the_middle_of_a_turn_sends_nothing_early(room: Newsroom) -> None:
    room.set()
    shown = chain([NOW], repeat(DUE))
    service = replace(room.service, clock=lambda: next(shown))
    lock = Leadership(room.db, service.settings.home / "schedule.lock")
    runner = Runner(service, lock, heartbeat=LONG, patience=LONG, uptime=lambda: 0)

    async def go() -> None:
        runner.start()
        await work(runner)
        await runner.close()

    asyncio.run(go())

    assert room.editions() == []


def test_the_desk_is_told_that_it_was_set(host: Host) -> None:
    live(host, timedelta(minutes=90), real=timedelta(0))

    (letter,) = [n for n in notices_of(host.room.db) if n.kind == "desk-alert"]
    assert "set forward by 1 h 30 min" in " ".join(letter.text.split())


def test_time_that_passes_is_believed_at_once(host: Host) -> None:
    live(host, real=DUE - NOW)

    assert host.room.states() == ["sending"]


def test_this_system_can_tell_how_long_it_has_been_up() -> None:
    uptime = find_uptime()

    assert uptime is not None
    assert uptime() > 0
