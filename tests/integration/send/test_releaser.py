"""The releaser: an edition goes at its time, and not by a clock that was just set."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from digest.domain.states import EditionState
from digest.send.releaser import release_due
from digest.storage import editions
from digest.storage.engine import Database
from tests.builders import NOW, add_newsletter
from tests.posting import add_edition, make_post

DAY = timedelta(days=1)


@dataclass
class Host:
    """A host whose clock and uptime stand as told, one look after the other."""

    looks: Iterator[tuple[datetime, float]]
    shown: datetime = NOW
    looked: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.uptime_now = 0.0
        self.step()

    def step(self) -> None:
        try:
            self.shown, self.uptime_now = next(self.looks)
        except StopIteration:
            self.loop.call_soon_threadsafe(self.looked.set)

    def uptime(self) -> float:
        now = self.uptime_now
        self.step()
        return now


@pytest.fixture
def scheduled(db: Database) -> int:
    """An edition with a time, an hour from now."""
    edition = add_edition(db, add_newsletter(db))
    with db.write() as tx:
        at = NOW + timedelta(hours=1)
        to = EditionState.SCHEDULED
        return editions.move(tx, edition, to, now=NOW, scheduled_at=at).id


async def released(db: Database, *looks: tuple[datetime, float]) -> list[int]:
    """Look so often, and say what was released."""
    host, found = Host(iter(looks)), list[int]()
    post = make_post(
        db,
        1,  # no letter goes anywhere
        release=found.append,
        uptime=host.uptime,
        poll=timedelta(0),
    )
    task = asyncio.create_task(release_due(post, clock=lambda: host.shown))
    async with asyncio.timeout(20):
        await host.looked.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return found


async def test_an_hour_that_comes_by_a_step_of_the_clock_releases_nothing(
    db: Database, scheduled: int
) -> None:
    found = await released(db, (NOW, 10.0), (NOW + DAY, 11.0), (NOW + DAY, 12.0))

    assert found == []


async def test_a_clock_that_stays_where_it_was_set_is_believed(
    db: Database, scheduled: int
) -> None:
    later = NOW + DAY + timedelta(minutes=6)
    found = await released(
        db, (NOW, 10.0), (NOW + DAY, 11.0), (later, 371.0), (later, 372.0)
    )

    assert set(found) == {scheduled}
