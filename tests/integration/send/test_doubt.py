"""Letters in doubt: sent again with growing waits, not without end, never denied."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from digest.domain.deliveries import Lease, Result, UncertainPolicy
from digest.domain.editions import Edition
from digest.domain.retry import MOST_RESENDS
from digest.domain.states import DeliveryState
from digest.send import steering
from digest.send.worker import drain
from digest.storage import attempts, chunks, ledger, notice_ledger, notices, tables
from digest.storage.engine import Database
from tests.builders import NOW, add_newsletter
from tests.posting import (
    DESK,
    Clock,
    Inbox,
    MoodyRelay,
    add_edition,
    add_readers,
    claim_chunk,
    intend,
    lose_answers,
    make_notice,
    make_post,
    notices_of,
    release_edition,
    rows_of,
)

ALWAYS = 1_000
LEASE = timedelta(seconds=4)


def make_edition(db: Database, readers: int = 1) -> Edition:
    """Released, to so many readers."""
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, readers)
    return release_edition(db, add_edition(db, newsletter))


async def lose_answers_for(
    db: Database, inbox: Inbox, *, rounds: int, hours: float
) -> Clock:
    """Let a relay take every letter and never say so."""
    clock = Clock()
    async with MoodyRelay(inbox, lose_answers(ALWAYS)) as relay:
        post = make_post(db, relay.port, uncertain=UncertainPolicy.RESEND)
        for _ in range(rounds):
            await drain(post, clock=clock)
            clock.move(hours=hours)
    return clock


def in_doubt(db: Database) -> int:
    """Count the lost answers that were kept."""
    with db.read() as tx:
        query = select(tables.attempts.c.outcome)
        return list(tx.execute(query).scalars()).count("uncertain")


async def test_an_edition_letter_is_sent_again_three_times_at_most(
    db: Database,
) -> None:
    edition = make_edition(db)
    inbox = Inbox()

    await lose_answers_for(db, inbox, rounds=MOST_RESENDS + 3, hours=1)

    (row,) = rows_of(db, edition)
    assert len(inbox.received) == 1 + MOST_RESENDS == in_doubt(db)
    assert (row.state, row.next_attempt_at) == ("uncertain", None)


async def test_a_notice_is_sent_again_three_times_at_most(db: Database) -> None:
    with db.write() as tx:
        notices.add(tx, make_notice(), now=NOW)
    inbox = Inbox()

    await lose_answers_for(db, inbox, rounds=MOST_RESENDS + 3, hours=1)

    (row,) = notices_of(db)
    assert len(inbox.received) == 1 + MOST_RESENDS
    assert (row.state, row.next_attempt_at, row.lease_owner) == (
        "uncertain",
        None,
        None,
    )


async def test_each_wait_is_longer_than_the_one_before(sqlite_db: Database) -> None:
    edition = make_edition(sqlite_db)
    waits: list[timedelta] = []
    clock = Clock()

    async with MoodyRelay(Inbox(), lose_answers(ALWAYS)) as relay:
        post = make_post(sqlite_db, relay.port, uncertain=UncertainPolicy.RESEND)
        for _ in range(MOST_RESENDS):
            await drain(post, clock=clock)
            due: datetime = rows_of(sqlite_db, edition)[0].next_attempt_at
            waits.append(due - clock.now)
            clock.now = due

    assert [wait.total_seconds() for wait in waits] == [30, 60, 120]


async def test_past_its_deadline_it_is_not_sent_again(sqlite_db: Database) -> None:
    edition = make_edition(sqlite_db)
    inbox = Inbox()

    await lose_answers_for(sqlite_db, inbox, rounds=3, hours=73)

    assert len(inbox.received) == 2
    assert [row.state for row in rows_of(sqlite_db, edition)] == ["uncertain"]


def test_workers_that_die_of_a_letter_do_not_send_it_without_end(
    db: Database,
) -> None:
    edition = make_edition(db)
    (first,) = rows_of(db, edition)

    def die(seconds: float) -> None:
        chunk = claim_chunk(db, uncertain=UncertainPolicy.RESEND, seconds=seconds)
        assert chunk is not None
        if rows_of(db, edition)[0].state != "uncertain":
            intend(db, chunk.lease, first.id)

    for number in range(MOST_RESENDS + 2):
        die(number * 5)

    (row,) = rows_of(db, edition)
    assert in_doubt(db) == 1 + MOST_RESENDS
    assert (row.state, row.next_attempt_at) == ("uncertain", None)


def test_workers_that_die_of_a_notice_do_not_send_it_without_end(
    db: Database,
) -> None:
    with db.write() as tx:
        notices.add(tx, make_notice(), now=NOW)

    def claim(number: int) -> list[Any]:
        owner, now = f"dying-{number}", NOW + number * LEASE
        with db.write() as tx:
            silent = notice_ledger.challenge(
                tx, owner=owner, now=now, patience=timedelta(0)
            )
            return notice_ledger.claim(
                tx, owner=owner, now=now, lease=LEASE, limit=5, left_behind=silent
            )

    for number in range(MOST_RESENDS + 1):
        (notice,) = claim(number)
        lease: Lease = notice.lease
        intend(db, lease, notice.id)
    last = claim(MOST_RESENDS + 1)

    (row,) = notices_of(db)
    assert last == []
    assert (row.state, row.lease_owner) == ("uncertain", None)


def leave_in_doubt(db: Database, edition: Edition, *, seconds: float) -> None:
    """Let a worker die with a letter under way, and another find it."""
    chunk = claim_chunk(db)
    assert chunk is not None
    intend(db, chunk.lease, rows_of(db, edition)[0].id)
    steering.pause(db, edition_id=edition.id, reason="wait", actor=DESK, now=NOW)
    found = claim_chunk(db, uncertain=UncertainPolicy.RESEND, seconds=seconds)
    assert found is not None
    with db.write() as tx:
        chunks.give_back(tx, found, now=NOW + timedelta(seconds=seconds))


async def test_a_letter_in_doubt_is_sent_again_once_its_edition_goes_on(
    db: Database,
) -> None:
    edition = make_edition(db, readers=2)
    leave_in_doubt(db, edition, seconds=5)
    clock, inbox = Clock(), Inbox()
    clock.move(seconds=5)
    steering.resume(db, edition_id=edition.id, actor=DESK, now=clock.now)

    async with inbox.sink() as sink:
        post = make_post(db, sink.port, uncertain=UncertainPolicy.RESEND)
        await drain(post, clock=clock)

    assert inbox.recipients() == ["r0@example.com", "r1@example.com"]
    assert {row.state for row in rows_of(db, edition)} == {"sent"}


def test_a_cancel_does_not_deny_what_may_have_arrived(db: Database) -> None:
    edition = make_edition(db, readers=2)
    leave_in_doubt(db, edition, seconds=5)

    done = steering.cancel(db, edition_id=edition.id, actor=DESK, now=NOW)

    states = [(row.state, row.next_attempt_at) for row in rows_of(db, edition)]
    assert states == [("uncertain", None), ("skipped", None)]
    assert done.skipped == 1


@pytest.mark.parametrize("state", [DeliveryState.DEFERRED, DeliveryState.UNCERTAIN])
@pytest.mark.parametrize("intended", [True, False])
def test_a_result_that_is_written_twice_counts_once(
    db: Database, state: DeliveryState, *, intended: bool
) -> None:
    edition = make_edition(db)
    chunk = claim_chunk(db)
    assert chunk is not None
    first = rows_of(db, edition)[0].id
    if intended:
        intend(db, chunk.lease, first)
    result = Result(
        lease=chunk.lease,
        letter_id=first,
        at=NOW,
        state=state,
        intended=intended,
        next_attempt_at=NOW + timedelta(minutes=5),
        refused=state == DeliveryState.DEFERRED,
    )

    # As if the answer of the database to the first commit had been lost.
    for _ in range(2):
        with db.write() as tx:
            ledger.settle(tx, chunk.lease.kind, [result], worker="a")

    (row,) = rows_of(db, edition)
    with db.read() as tx:
        tries = attempts.of(tx, chunk.lease.kind, first)
    assert (row.state, row.attempts, row.refusals) == ("deferred", 1, result.refused)
    assert [attempt.outcome for attempt in tries] == [state]
