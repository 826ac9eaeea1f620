"""Claims: what a worker holds is its own, and what nobody works on is found."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, update

from digest.bootstrap import utc_now
from digest.domain.editions import Edition
from digest.domain.states import EditionState
from digest.send import progress
from digest.send.feeder import Feeder
from digest.send.ledger import Ledger
from digest.send.post import Post
from digest.send.worker import drain
from digest.storage import chunks, leases, notice_ledger, notices, tables
from digest.storage.engine import Database
from tests.builders import NOW, add_newsletter
from tests.posting import (
    Inbox,
    add_edition,
    add_readers,
    claim_chunk,
    make_notice,
    make_post,
    notices_of,
    release_edition,
    rows_of,
)

LEASE = timedelta(seconds=0.2)
PATIENCE = timedelta(0)


def make_edition(db: Database, readers: int = 2) -> Edition:
    """Released, to so many readers."""
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, readers)
    return release_edition(db, add_edition(db, newsletter))


def quick_post(db: Database, port: int) -> Post:
    """A worker that soon takes another for dead."""
    heartbeat = LEASE / 4
    return make_post(db, port, lease=LEASE, heartbeat=heartbeat, poll=heartbeat / 2)


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name under which the next worker claims."""
    monkeypatch.setattr("secrets.token_hex", lambda _count: "cafe")
    return "worker-a:cafe"


def test_a_worker_held_up_past_its_lease_is_not_challenged_by_itself(
    db: Database,
) -> None:
    make_edition(db)
    chunk = claim_chunk(db, "a")
    assert chunk is not None

    with db.write() as tx:
        challenged = chunks.challenge(
            tx,
            owner="a",
            held=[chunk.lease.row_id],
            now=NOW + timedelta(minutes=1),
            patience=PATIENCE,
        )

    assert challenged == []


async def test_a_chunk_whose_claim_was_not_answered_is_found_again(
    db: Database, owner: str
) -> None:
    edition = make_edition(db)
    # As if the answer to this worker's own commit had been lost.
    claim_chunk(db, owner)
    inbox = Inbox()

    async with inbox.sink() as sink:
        await drain(quick_post(db, sink.port), clock=utc_now)

    assert inbox.recipients() == ["r0@example.com", "r1@example.com"]
    assert {row.state for row in rows_of(db, edition)} == {"sent"}


async def test_a_notice_whose_claim_was_not_answered_is_found_again(
    db: Database, owner: str
) -> None:
    with db.write() as tx:
        notices.add(tx, make_notice(), now=NOW)
        notice_ledger.claim(tx, owner=owner, now=NOW, lease=LEASE, limit=5)
    inbox = Inbox()

    async with inbox.sink() as sink:
        await drain(quick_post(db, sink.port), clock=utc_now)

    assert inbox.recipients() == ["bob@example.com"]
    assert [row.state for row in notices_of(db)] == ["sent"]


def make_two_editions(db: Database) -> tuple[Edition, Edition]:
    """Two for the same reader; of the first no letter can be made."""
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 1)
    bad = add_edition(db, newsletter)
    good = add_edition(
        db, newsletter, number=20, issue_date=bad.issue_date + timedelta(days=7)
    )
    for edition in (bad, good):
        release_edition(db, edition)
    with db.write() as tx:
        tx.execute(
            update(tables.editions)
            .where(tables.editions.c.id == bad.id)
            .values(frozen={"name": "made by a version to come"})
        )
    return bad, good


async def test_an_edition_that_cannot_be_loaded_stops_no_other(db: Database) -> None:
    bad, good = make_two_editions(db)

    async with Inbox().sink() as sink, asyncio.timeout(20):
        await drain(make_post(db, sink.port), clock=lambda: NOW)

    status = progress.status(db, edition_id=bad.id, now=NOW)
    assert status.state == EditionState.PAUSED
    assert "cannot be made: TypeError" in str(status.pause_reason)
    assert [row.state for row in rows_of(db, bad)] == ["queued"]
    assert [row.state for row in rows_of(db, good)] == ["sent"]


async def test_what_is_resent_of_an_edition_that_cannot_be_loaded_waits(
    sqlite_db: Database,
) -> None:
    bad, good = make_two_editions(sqlite_db)
    with sqlite_db.write() as tx:
        tx.execute(
            update(tables.editions)
            .where(tables.editions.c.id == bad.id)
            .values(state=EditionState.SENT)
        )

    async with Inbox().sink() as sink, asyncio.timeout(20):
        totals = await drain(make_post(sqlite_db, sink.port), clock=lambda: NOW)

    assert totals.waiting == 1
    assert [row.state for row in rows_of(sqlite_db, good)] == ["sent"]


def test_a_heartbeat_is_one_statement(db: Database) -> None:
    with db.write() as tx:
        for number in range(20):
            notices.add(tx, make_notice(address=f"n{number}@example.com"), now=NOW)
        held = notice_ledger.claim(tx, owner="a", now=NOW, lease=LEASE, limit=20)
    statements: list[str] = []
    event.listen(
        db.engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, *_rest: statements.append(statement),
    )

    lost, *kept = [notice.lease for notice in held]
    until = NOW + timedelta(minutes=1)
    with db.write() as tx:
        leases.renew(tx, [replace(lost, fence=0), *kept], until=until)

    assert len([text for text in statements if text.startswith("UPDATE")]) == 1
    ends = [row.lease_until for row in notices_of(db)]
    assert ends == [NOW + LEASE, *[until] * 19]


async def test_a_worker_claims_no_more_notices_than_it_soon_carries(
    sqlite_db: Database,
) -> None:
    with sqlite_db.write() as tx:
        for number in range(300):
            notices.add(tx, make_notice(address=f"n{number}@example.com"), now=NOW)
    stop, looks = asyncio.Event(), 0
    loop = asyncio.get_running_loop()

    def clock() -> datetime:
        nonlocal looks
        looks += 1
        if looks == 40:
            loop.call_soon_threadsafe(stop.set)
        return NOW

    post = make_post(sqlite_db, 9, poll=timedelta(0))
    ledger = Ledger(sqlite_db, worker="a", lease=LEASE, clock=clock)

    # No lane takes anything.
    writer = asyncio.create_task(ledger.write_groups())
    await Feeder(post, ledger=ledger, clock=clock).run(stop=stop, until_idle=False)
    writer.cancel()

    held = [row for row in notices_of(sqlite_db) if row.lease_owner]
    assert 50 <= len(held) < 100
