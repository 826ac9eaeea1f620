"""A worker dies or stalls: what it left is found, named, and never written over."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from digest.domain.deliveries import (
    Intent,
    Lease,
    Permit,
    Result,
    UncertainPolicy,
)
from digest.domain.editions import Edition
from digest.domain.errors import StateError
from digest.domain.states import DeliveryState, EditionState
from digest.send import progress, steering
from digest.send.feeder import Feeder
from digest.send.ledger import Ledger
from digest.send.worker import drain, work
from digest.storage import (
    chunks,
    leases,
    ledger as rows,
    notice_ledger,
    notices,
    tables,
)
from digest.storage.chunks import Chunk
from digest.storage.engine import Database
from tests.builders import NOW, add_newsletter
from tests.posting import (
    DESK,
    Clock,
    Inbox,
    add_edition,
    add_readers,
    make_notice,
    make_post,
    notices_of,
    release_edition,
    rows_of,
    states_of,
)

LEASE = timedelta(seconds=4)


def make_edition(db: Database, readers: int = 3) -> Edition:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, readers)
    edition = add_edition(db, newsletter)
    return release_edition(db, edition)


def claim(
    db: Database,
    owner: str,
    *,
    seconds: float = 0,
    uncertain: UncertainPolicy = UncertainPolicy.HOLD,
) -> Chunk | None:
    with db.write() as tx:
        now = NOW + timedelta(seconds=seconds)
        silent = chunks.challenge(tx, owner=owner, now=now, patience=timedelta(0))
        return chunks.claim(
            tx,
            owner=owner,
            now=now,
            lease=LEASE,
            uncertain=uncertain,
            left_behind=silent,
        )


def must_claim(db: Database, owner: str, *, seconds: float = 0) -> Chunk:
    found = claim(db, owner, seconds=seconds)
    assert found is not None
    return found


def intend(db: Database, lease: Lease, letter_id: int) -> None:
    intent = Intent(lease=lease, letter_id=letter_id, at=NOW, dated_at=NOW)
    with db.write() as tx:
        assert rows.intend(tx, lease.kind, [intent]) == {letter_id}


def die_with_one_under_way(db: Database, edition: Edition) -> int:
    """Leave the first letter `dispatching`, as a killed worker would."""
    first: int = rows_of(db, edition)[0].id
    intend(db, must_claim(db, "dead").lease, first)
    return first


@asynccontextmanager
async def running(
    db: Database, clock: Callable[[], datetime] = lambda: NOW
) -> AsyncIterator[Ledger]:
    ledger = Ledger(db, worker="a", lease=LEASE, clock=clock)
    writer = asyncio.create_task(ledger.write_groups())
    yield ledger
    writer.cancel()
    with suppress(asyncio.CancelledError):
        await writer


async def record(db: Database, *entries: Intent | Result) -> list[Permit]:
    async with running(db) as ledger:
        return list(await ledger.record(*entries))


async def test_a_living_lease_is_not_taken(db: Database) -> None:
    make_edition(db)
    must_claim(db, "a")

    assert claim(db, "b", seconds=3.9) is None


async def test_a_renewed_lease_is_not_taken(db: Database) -> None:
    make_edition(db)
    chunk = must_claim(db, "a")

    with db.write() as tx:
        leases.renew(tx, [chunk.lease], until=NOW + timedelta(seconds=8))

    assert claim(db, "b", seconds=7) is None


async def test_a_lapsed_lease_is_taken_with_a_higher_fence(db: Database) -> None:
    make_edition(db)
    before = must_claim(db, "a")

    after = must_claim(db, "b", seconds=4)

    assert after.lease.row_id == before.lease.row_id
    assert after.lease.fence == before.lease.fence + 1


async def test_a_busy_worker_takes_over_what_a_dead_one_left(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 30)
    edition = release_edition(db, add_edition(db, newsletter), chunk_size=10)
    must_claim(db, "dead")
    clock, stop = Clock(), asyncio.Event()
    clock.move(seconds=60)
    post = make_post(db, 9, connections=1)
    ledger = Ledger(db, worker="a", lease=post.lease, clock=clock)
    # There are no lanes: all the time it has more letters than it can carry.
    feeder = Feeder(post, ledger=ledger, clock=clock)

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        writer = group.create_task(ledger.write_groups())
        feeding = group.create_task(feeder.run(stop=stop, until_idle=False))
        while chunks_of(db, edition)[0].fence == 1:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
        stop.set()
        await feeding
        writer.cancel()

    owners = [row.lease_owner for row in chunks_of(db, edition)]
    assert owners[0] == owners[1] != "dead"
    assert owners[2] is None


def chunks_of(db: Database, edition: Edition) -> list[Any]:
    c = tables.chunks.c
    query = select(c.fence, c.lease_owner).where(c.edition_id == edition.id)
    with db.read() as tx:
        return list(tx.execute(query.order_by(c.number)))


async def test_after_a_kill_the_letter_under_way_is_held(db: Database) -> None:
    edition = make_edition(db)
    first = die_with_one_under_way(db, edition)
    inbox = Inbox()

    async with inbox.sink() as sink:
        later = NOW + timedelta(seconds=4)
        totals = await drain(make_post(db, sink.port), clock=lambda: later)

    states = {row.id: row.state for row in rows_of(db, edition)}
    assert states.pop(first) == "uncertain"
    assert set(states.values()) == {"sent"}
    assert totals.sent == len(inbox.received) == 2


async def test_after_a_kill_the_letter_under_way_is_sent_again_where_wanted(
    db: Database,
) -> None:
    edition = make_edition(db)
    die_with_one_under_way(db, edition)
    inbox = Inbox()

    async with inbox.sink() as sink:
        later = NOW + timedelta(seconds=4)
        post = make_post(db, sink.port, uncertain=UncertainPolicy.RESEND)
        await drain(post, clock=lambda: later)

    dates = sorted(message["Date"][-14:-6] for message in inbox.messages())
    assert dates == ["12:00:00", "12:00:04", "12:00:04"]
    assert {row.state for row in rows_of(db, edition)} == {"sent"}


async def test_letters_in_doubt_do_not_hold_the_edition_open(
    sqlite_db: Database,
) -> None:
    edition = make_edition(sqlite_db)
    die_with_one_under_way(sqlite_db, edition)

    async with Inbox().sink() as sink:
        later = NOW + timedelta(seconds=4)
        await drain(make_post(sqlite_db, sink.port), clock=lambda: later)

    status = progress.status(sqlite_db, edition_id=edition.id, now=NOW)
    assert status.state == EditionState.SENT
    assert status.counts[DeliveryState.UNCERTAIN] == 1


async def test_settling_sends_the_same_letter_again(db: Database) -> None:
    edition = make_edition(db, readers=1)
    die_with_one_under_way(db, edition)
    inbox, clock = Inbox(), Clock()
    clock.move(seconds=4)

    async with inbox.sink() as sink:
        post = make_post(db, sink.port)
        await drain(post, clock=clock)
        count = steering.settle_uncertain(
            db, edition_id=edition.id, choice="resend", actor=DESK, now=clock.now
        )
        clock.move(days=1)
        await drain(post, clock=clock)

    (message,) = inbox.messages()
    assert count == 1
    assert message["Date"] == "Sun, 12 May 2024 12:00:00 +0000"
    assert [row.state for row in rows_of(db, edition)] == ["sent"]


async def test_settling_may_take_them_as_sent(db: Database) -> None:
    edition = make_edition(db, readers=1)
    die_with_one_under_way(db, edition)
    claim(db, "b", seconds=4)

    steering.settle_uncertain(
        db, edition_id=edition.id, choice="sent", actor=DESK, now=NOW
    )

    assert [row.state for row in rows_of(db, edition)] == ["sent"]


async def test_nothing_of_a_cancelled_edition_is_sent_again(db: Database) -> None:
    edition = make_edition(db, readers=1)
    die_with_one_under_way(db, edition)
    steering.cancel(db, edition_id=edition.id, actor=DESK, now=NOW)

    claim(db, "b", seconds=4, uncertain=UncertainPolicy.RESEND)

    assert [row.state for row in rows_of(db, edition)] == ["uncertain"]
    with pytest.raises(StateError, match="cancelled"):
        steering.settle_uncertain(
            db, edition_id=edition.id, choice="resend", actor=DESK, now=NOW
        )


async def test_a_worker_past_its_lease_writes_nothing(db: Database) -> None:
    edition = make_edition(db)
    first = rows_of(db, edition)[0].id
    stalled = must_claim(db, "stalled").lease
    intend(db, stalled, first)
    must_claim(db, "b", seconds=4)

    permits = await record(
        db,
        Result(lease=stalled, letter_id=first, at=NOW, state=DeliveryState.SENT),
        Intent(lease=stalled, letter_id=first + 1, at=NOW, dated_at=NOW),
    )

    states = [row.state for row in rows_of(db, edition)]
    assert permits == [Permit.LOST, Permit.LOST]
    assert states == ["uncertain", "queued", "queued"]


async def test_an_intent_that_a_pause_overtook_is_taken_back(db: Database) -> None:
    edition = make_edition(db)
    first = rows_of(db, edition)[0].id
    lease = must_claim(db, "a").lease
    # As if the database's answer to this had been lost.
    intend(db, lease, first)
    steering.pause(db, edition_id=edition.id, reason="wait", actor=DESK, now=NOW)

    permits = await record(
        db, Intent(lease=lease, letter_id=first, at=NOW, dated_at=NOW)
    )

    row = rows_of(db, edition)[0]
    assert permits == [Permit.CLOSED]
    assert (row.state, row.attempts, row.dated_at) == ("queued", 0, None)


async def test_a_stalled_worker_gives_its_letters_up(sqlite_db: Database) -> None:
    edition = make_edition(sqlite_db, readers=5)
    inbox = Inbox()

    def take_over() -> None:
        # As if this worker had slept past its lease after its first letter.
        must_claim(sqlite_db, "other", seconds=60)

    inbox.when(1, take_over)
    clock = Clock()

    async with inbox.sink() as sink:
        post = make_post(sqlite_db, sink.port, connections=1)
        with_other = drain(post, clock=clock)
        clock.move(seconds=1000)
        totals = await with_other

    assert totals.sent == 4
    assert len(inbox.received) == 5
    states = sorted(states_of(sqlite_db, edition).values())
    assert states[:4] == ["sent"] * 4
    assert states[4].startswith("uncertain")


async def test_a_killed_workers_notice_is_sent_again(db: Database) -> None:
    with db.write() as tx:
        notices.add(tx, make_notice(), now=NOW)
        (notice,) = notice_ledger.claim(tx, owner="dead", now=NOW, lease=LEASE, limit=5)
    intend(db, notice.lease, notice.id)
    inbox = Inbox()

    async with inbox.sink() as sink:
        later = NOW + timedelta(seconds=4)
        await drain(make_post(db, sink.port), clock=lambda: later)

    (message,) = inbox.messages()
    assert message["Date"] == "Sun, 12 May 2024 12:00:00 +0000"
    assert [row.state for row in notices_of(db)] == ["sent"]


async def test_a_closed_edition_grants_nothing(db: Database) -> None:
    edition = make_edition(db)
    lease = must_claim(db, "a").lease
    steering.pause(db, edition_id=edition.id, reason="", actor=DESK, now=NOW)

    permits = await record(
        db,
        Intent(lease=lease, letter_id=rows_of(db, edition)[0].id, at=NOW, dated_at=NOW),
    )

    assert permits == [Permit.CLOSED]
    assert {row.state for row in rows_of(db, edition)} == {"queued"}


async def test_entries_that_wait_share_a_commit(sqlite_db: Database) -> None:
    edition = make_edition(sqlite_db, readers=20)
    lease = must_claim(sqlite_db, "a").lease
    intents = [
        Intent(lease=lease, letter_id=row.id, at=NOW, dated_at=NOW)
        for row in rows_of(sqlite_db, edition)
    ]

    async with running(sqlite_db) as ledger:
        permits = await asyncio.gather(*(ledger.record(i) for i in intents))

    assert {tuple(permit) for permit in permits} == {(Permit.GRANTED,)}
    assert ledger.commits == 1


@pytest.mark.postgres
async def test_a_cut_database_connection_loses_nothing(postgres_db: Database) -> None:
    edition = make_edition(postgres_db, readers=40)
    inbox = Inbox()

    def cut() -> None:
        with postgres_db.read() as tx:
            tx.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )

    inbox.when(3, cut)
    inbox.when(20, cut)

    async with inbox.sink() as sink:
        await drain(make_post(postgres_db, sink.port), clock=Clock())

    assert inbox.recipients() == sorted(f"r{n}@example.com" for n in range(40))
    assert set(states_of(postgres_db, edition).values()) == {"sent"}


async def test_a_failure_of_the_worker_itself_is_logged_and_it_goes_on(
    sqlite_db: Database,
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def fail() -> datetime:
        loop.call_soon_threadsafe(stop.set)
        raise RuntimeError("a bug")

    with capture_logs() as logged:
        await work(make_post(sqlite_db, 9), clock=fail, stop=stop)

    assert "worker.failed" in [entry["event"] for entry in logged]


async def test_an_edition_whose_release_fails_stops_no_other(
    sqlite_db: Database,
) -> None:
    edition = add_edition(sqlite_db, add_newsletter(sqlite_db))
    release_edition(sqlite_db, edition, at=NOW + timedelta(hours=1))

    def fail(_edition_id: int) -> None:
        raise RuntimeError("a bug")

    with capture_logs() as logged:
        post = make_post(sqlite_db, 9, release=fail)
        await drain(post, clock=lambda: NOW + timedelta(hours=1))

    events = [entry["event"] for entry in logged]
    status = progress.status(sqlite_db, edition_id=edition.id, now=NOW)
    assert events == ["edition.unreleasable", "edition.release_failed"]
    assert status.state == EditionState.APPROVED


async def test_the_heartbeat_goes_through_the_ledger(db: Database) -> None:
    make_edition(db)
    lease = must_claim(db, "a").lease
    clock = Clock()
    clock.move(seconds=3)

    async with running(db, clock) as ledger:
        await ledger.renew([lease])
        await ledger.renew([])

    assert claim(db, "b", seconds=6.9) is None


async def test_a_heartbeat_lasts_from_when_it_was_written(
    sqlite_db: Database,
) -> None:
    make_edition(sqlite_db)
    lease = must_claim(sqlite_db, "a").lease
    clock = Clock()

    async with running(sqlite_db, clock) as ledger:
        with sqlite_db.write():
            # Nobody else can write until we are through.
            renewed = asyncio.create_task(ledger.renew([lease]))
            await asyncio.sleep(0.05)
            clock.move(seconds=60)
        await renewed

    assert claim(sqlite_db, "b", seconds=63.9) is None


async def test_a_heartbeat_shortens_no_lease(db: Database) -> None:
    make_edition(db)
    lease = must_claim(db, "a", seconds=60).lease

    async with running(db) as ledger:
        await ledger.renew([lease])

    assert claim(db, "b", seconds=63.9) is None


async def test_whoever_waits_for_a_ledger_that_fails_is_not_left_waiting(
    sqlite_db: Database,
) -> None:
    edition = make_edition(sqlite_db)
    lease = must_claim(sqlite_db, "a").lease
    # A naive time is a bug of the caller.
    broken = Intent(
        lease=lease,
        letter_id=rows_of(sqlite_db, edition)[0].id,
        at=NOW.replace(tzinfo=None),
        dated_at=NOW,
    )
    ledger = Ledger(sqlite_db, worker="a", lease=LEASE, clock=lambda: NOW)
    writer = asyncio.create_task(ledger.write_groups())

    with pytest.raises(asyncio.CancelledError):
        await ledger.record(broken)

    assert "naive" in str((await asyncio.gather(writer, return_exceptions=True))[0])
