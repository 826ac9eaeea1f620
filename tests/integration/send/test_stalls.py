"""Nobody can write for longer than a lease lasts: no worker takes another for dead."""

import asyncio
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from digest.bootstrap import utc_now
from digest.domain.editions import Edition
from digest.domain.states import EditionState
from digest.send import progress
from digest.send.post import Post
from digest.send.worker import drain, work
from digest.storage import newsletters
from digest.storage.engine import Database
from tests.builders import NOW, add_newsletter
from tests.posting import (
    Inbox,
    add_edition,
    add_readers,
    make_post,
    release_edition,
    rows_of,
)

Stall = Callable[[Database], AbstractContextManager[None]]

# Long enough for a busy machine to give each worker its turn.
LEASE = timedelta(seconds=1.2)
STALL_SECONDS = 2.4
READERS = 30


@contextmanager
def lock_held(db: Database) -> Iterator[None]:
    """Keep everybody else from writing, as a long transaction may."""
    with db.write() as tx:
        if not db.is_sqlite:
            tx.execute(text("LOCK TABLE chunks, deliveries IN EXCLUSIVE MODE"))
        yield


@contextmanager
def disk_full(_db: Database) -> Iterator[None]:
    """Let this process make no file longer."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def make_edition(db: Database) -> Edition:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, READERS)
    return release_edition(db, add_edition(db, newsletter))


def make_workers(db: Database, port: int) -> list[Post]:
    """Two whose leases are short, so that a stall need not be long."""
    return [make_post(db, port, worker=name, lease=LEASE) for name in ("a", "b")]


async def carry_through(db: Database, stall: Stall) -> Inbox:
    """One worker has the chunk, the other looks for work, and nobody can write."""
    inbox, loop, stalled = Inbox(), asyncio.get_running_loop(), ExitStack()

    def begin() -> None:
        stalled.enter_context(stall(db))
        loop.call_later(STALL_SECONDS, stalled.close)

    inbox.when(5, begin)
    async with inbox.sink() as sink, asyncio.timeout(60):
        workers = make_workers(db, sink.port)
        await asyncio.gather(*(drain(post, clock=utc_now) for post in workers))
    return inbox


async def test_a_write_lock_held_for_long_makes_nobody_dead(db: Database) -> None:
    edition = make_edition(db)

    inbox = await carry_through(db, lock_held)

    assert {row.state for row in rows_of(db, edition)} == {"sent"}
    assert inbox.recipients() == sorted(f"r{n}@example.com" for n in range(READERS))


async def test_a_disk_full_for_long_makes_nobody_dead(sqlite_db: Database) -> None:
    edition = make_edition(sqlite_db)

    inbox = await carry_through(sqlite_db, disk_full)

    assert {row.state for row in rows_of(sqlite_db, edition)} == {"sent"}
    assert inbox.recipients() == sorted(f"r{n}@example.com" for n in range(READERS))


async def test_letters_and_heartbeats_go_on_while_an_edition_is_released(
    db: Database,
) -> None:
    first = make_edition(db)
    second = schedule_edition(db, first)
    inbox, all_came = Inbox(), threading.Event()
    inbox.when(READERS, all_came.set)

    def release_slowly(_edition_id: int) -> None:
        # As long as the letters of the other edition take, and a lease more.
        assert all_came.wait(20)
        threading.Event().wait(LEASE.total_seconds())
        release_edition(db, second, now=utc_now())

    async with inbox.sink() as sink, asyncio.timeout(60):
        workers = [
            replace(post, release=release_slowly)
            for post in make_workers(db, sink.port)
        ]
        await asyncio.gather(*(drain(post, clock=utc_now) for post in workers))

    twice = [f"r{n}@example.com" for n in range(READERS)] * 2
    assert inbox.recipients() == sorted(twice)


async def test_of_two_workers_that_release_an_edition_one_does(
    sqlite_db: Database,
) -> None:
    edition = schedule_edition(sqlite_db, make_edition(sqlite_db))

    def come_too_late(_edition_id: int) -> None:
        for _ in range(2):
            release_edition(sqlite_db, edition, now=utc_now())

    with capture_logs() as logged:
        async with Inbox().sink() as sink, asyncio.timeout(60):
            post = make_post(sqlite_db, sink.port, release=come_too_late)
            await drain(post, clock=utc_now)

    status = progress.status(sqlite_db, edition_id=edition.id, now=utc_now())
    assert status.state == EditionState.SENT
    assert "edition.release_failed" not in [entry["event"] for entry in logged]


def schedule_edition(db: Database, other: Edition) -> Edition:
    """One more edition for the same readers, scheduled, and due since long."""
    with db.read() as tx:
        newsletter = newsletters.get_by_id(tx, other.newsletter_id)
    day = other.issue_date + timedelta(days=7)
    edition = add_edition(db, newsletter, issue_date=day, number=20)
    return release_edition(db, edition, at=NOW + timedelta(hours=1))


@pytest.mark.postgres
async def test_a_stop_does_not_wait_for_a_database_that_is_away() -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/nothing")
    stop = asyncio.Event()
    working = asyncio.create_task(work(make_post(away, 1), clock=utc_now, stop=stop))
    await asyncio.sleep(0.1)

    async with asyncio.timeout(10):
        stop.set()
        await working
