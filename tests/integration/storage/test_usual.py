"""The usual group: one statement that writes all of it, or says that it did not."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from digest.domain.deliveries import Intent, Lease, Result, UncertainPolicy
from digest.domain.states import DeliveryState, EditionState, SubscriptionState
from digest.storage import chunks, tables, usual
from digest.storage.engine import Database
from digest.storage.usual import UsualGroup
from tests.builders import NOW, add_newsletter
from tests.posting import add_edition, add_readers, release_edition, rows_of

LATER = NOW + timedelta(seconds=1)


class Chunk:
    """A claimed chunk of three letters."""

    def __init__(self, db: Database) -> None:
        newsletter = add_newsletter(db)
        add_readers(db, newsletter, 3)
        self.db = db
        self.edition = release_edition(db, add_edition(db, newsletter))
        with db.write() as tx:
            claimed = chunks.claim(
                tx,
                owner="a",
                now=NOW,
                lease=timedelta(seconds=4),
                uncertain=UncertainPolicy.HOLD,
            )
        assert claimed is not None
        self.lease = claimed.lease
        self.ids = [row.id for row in self.rows]
        self._writer = db.writer()

    @property
    def rows(self) -> list[Any]:
        return rows_of(self.db, self.edition)

    @property
    def states(self) -> list[str]:
        return [row.state for row in self.rows]

    def write(
        self, *, sent: Sequence[int] = (), intents: Sequence[int] = (), fence: int = 0
    ) -> bool:
        lease = Lease(
            kind=self.lease.kind,
            row_id=self.lease.row_id,
            fence=self.lease.fence + fence,
        )
        group = UsualGroup(
            lease=lease,
            sent=[_sent(lease, self.ids[n]) for n in sent],
            intents=[_intent(lease, self.ids[n]) for n in intents],
        )
        try:
            with self._writer.write_alone() as tx:
                return usual.write(tx, group)
        finally:
            self._writer.close()


@pytest.fixture
def chunk(db: Database) -> Chunk:
    """On SQLite and on PostgreSQL."""
    return Chunk(db)


def _sent(lease: Lease, letter_id: int) -> Result:
    return Result(
        lease=lease,
        letter_id=letter_id,
        at=LATER,
        state=DeliveryState.SENT,
        smtp_code=250,
        smtp_text="2.0.0 Ok",
    )


def _intent(lease: Lease, letter_id: int) -> Intent:
    return Intent(lease=lease, letter_id=letter_id, at=NOW, dated_at=NOW)


def test_an_intent_is_durable_with_its_date(chunk: Chunk) -> None:
    assert chunk.write(intents=[0])

    row = chunk.rows[0]
    assert (row.state, row.attempts) == ("dispatching", 1)
    assert row.first_attempt_at == row.dated_at == NOW
    assert row.next_attempt_at is None


def test_a_result_and_the_next_intent_are_written_together(chunk: Chunk) -> None:
    chunk.write(intents=[0])

    assert chunk.write(sent=[0], intents=[1])

    first = chunk.rows[0]
    assert chunk.states == ["sent", "dispatching", "queued"]
    assert (first.smtp_code, first.smtp_text) == (250, "2.0.0 Ok")
    assert (first.dated_at, first.settled_at) == (NOW, LATER)


def test_an_intent_once_more_is_no_second_try(chunk: Chunk) -> None:
    chunk.write(intents=[0])

    assert chunk.write(intents=[0])

    assert chunk.rows[0].attempts == 1


def test_nothing_is_written_under_an_older_fence(chunk: Chunk) -> None:
    chunk.write(intents=[0])

    assert not chunk.write(sent=[0], intents=[1], fence=-1)

    assert chunk.states == ["dispatching", "queued", "queued"]


def test_nothing_is_written_while_the_edition_is_paused(chunk: Chunk) -> None:
    with chunk.db.write() as tx:
        tx.execute(update(tables.editions).values(state=EditionState.PAUSED))

    assert not chunk.write(intents=[0])

    assert chunk.states == ["queued", "queued", "queued"]


def test_a_reader_who_left_is_left_out(chunk: Chunk) -> None:
    with chunk.db.write() as tx:
        tx.execute(
            update(tables.subscriptions)
            .where(tables.subscriptions.c.id == chunk.rows[1].subscription_id)
            .values(state=SubscriptionState.UNSUBSCRIBED)
        )

    assert not chunk.write(intents=[0, 1])

    assert chunk.states == ["dispatching", "queued", "queued"]


def test_a_letter_that_is_settled_stays_as_it_is(chunk: Chunk) -> None:
    chunk.write(intents=[0])
    chunk.write(sent=[0])

    assert not chunk.write(intents=[0])

    assert chunk.states[0] == "sent"


def test_what_was_not_intended_cannot_be_sent(chunk: Chunk) -> None:
    assert not chunk.write(sent=[0])

    assert chunk.states[0] == "queued"


def test_the_server_s_words_about_an_erased_reader_are_not_kept(chunk: Chunk) -> None:
    chunk.write(intents=[0])
    with chunk.db.write() as tx:
        tx.execute(update(tables.deliveries).values(address=None))

    assert chunk.write(sent=[0])

    assert chunk.rows[0].smtp_text is None
