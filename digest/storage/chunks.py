"""Chunks: runs of an edition's deliveries, claimed under one lease and one fence."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)

from digest.domain.deliveries import Lease, LetterKind, UncertainPolicy
from digest.domain.states import DeliveryState, EditionState
from digest.storage import attempts, leases, tables
from digest.storage.engine import Tx
from digest.storage.ledger import CARRIED, OPEN
from digest.storage.types import UtcDateTime

_c = tables.chunks.c
_d = tables.deliveries.c

LOST_ANSWER = "the worker stopped before the server's answer was kept"


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """A chunk that was claimed.

    Attributes:
        lease: The right to it.
        edition_id: Its edition.
        number: Its place in the edition, from 0.
        edition_state: The edition's state at the claim.
    """

    lease: Lease
    edition_id: int
    number: int
    edition_state: EditionState

    @property
    def is_carried(self) -> bool:
        """Whether its letters may be handed over."""
        return self.edition_state in CARRIED


def plan(tx: Tx, edition_id: int, *, now: datetime) -> None:
    """Insert the chunks of an edition whose deliveries were planned, due at once."""
    source = (
        select(_d.edition_id, _d.chunk, literal(now, UtcDateTime))
        .where(_d.edition_id == edition_id)
        .distinct()
    )
    names = ["edition_id", "number", "due_at"]
    tx.execute(insert(tables.chunks).from_select(names, source))


def is_any_claimable(
    tx: Tx,
    *,
    owner: str,
    held: Collection[int] = (),
    now: datetime,
    patience: timedelta,
) -> bool:
    """Tell whether a claim or a challenge would find something; cheaper than to try."""
    found = _claimable(owner, held, now, patience)
    query = select(_c.id).join(tables.editions).where(found).limit(1)
    return tx.execute(query).first() is not None


def is_any_leased(tx: Tx, *, now: datetime) -> bool:
    """Tell whether some worker holds a lease."""
    query = select(_c.id).where(_c.lease_until > now).limit(1)
    return tx.execute(query).first() is not None


def is_waiting(
    tx: Tx,
    edition_id: int,
    number: int,
    *,
    owner: str,
    held: Collection[int] = (),
    now: datetime,
    patience: timedelta,
) -> bool:
    """Tell whether a chunk is due and nobody carries it."""
    query = (
        select(_c.id)
        .join(tables.editions)
        .where(_c.edition_id == edition_id, _c.number == number)
        .where(_claimable(owner, held, now, patience))
    )
    return tx.execute(query).first() is not None


def is_any_overdue(
    tx: Tx, *, owner: str, held: Collection[int], now: datetime, patience: timedelta
) -> bool:
    """Tell whether a challenge would find something."""
    query = select(_c.id).where(
        _c.due_at <= now, _is_overdue(owner, held, now, patience)
    )
    return tx.execute(query.limit(1)).first() is not None


def challenge(
    tx: Tx,
    *,
    owner: str,
    held: Collection[int] = (),
    now: datetime,
    patience: timedelta,
) -> list[Lease]:
    """Ask the holders of overdue leases to renew them; see `leases.challenge`.

    Args:
        tx: A writing transaction.
        owner: Who asks.
        held: Chunks they hold.
        now: The present; workers of one database need clocks that agree.
        patience: How long before its end a lease is overdue.
    """
    overdue = and_(_c.due_at <= now, _is_overdue(owner, held, now, patience))
    return leases.challenge(tx, LetterKind.DELIVERY, overdue, now=now)


def claim(
    tx: Tx,
    *,
    owner: str,
    now: datetime,
    lease: timedelta,
    uncertain: UncertainPolicy,
    left_behind: Collection[Lease] = (),
    free: bool = True,
) -> Chunk | None:
    """Take the next chunk that is due and free, or whose worker died.

    Letters its last worker left `dispatching` are settled by the policy in the same
    transaction: they become `uncertain`, or are due again with the same bytes.

    Args:
        tx: A writing transaction.
        owner: The worker's name, new at each start, at most 64 characters.
        now: The present.
        lease: How long the claim holds unless it is renewed.
        uncertain: What becomes of letters in doubt.
        left_behind: Leases of dead workers, challenged in this transaction.
        free: Whether a chunk that nobody holds will do, too.

    Returns:
        The chunk, or None where nothing is due.
    """
    wanted = leases.is_one_of(LetterKind.DELIVERY, left_behind)
    found = (
        select(_c.id)
        .join(tables.editions)
        .where(_c.due_at <= now)
        # A dead worker's chunk is taken over even when its edition was stopped:
        # its letters in doubt must be named.
        .where(or_(_is_free(), wanted) if free else wanted)
        .order_by(_c.due_at, _c.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=tables.chunks)
        .scalar_subquery()
    )
    row = tx.execute(
        update(tables.chunks)
        .where(_c.id == found)
        .values(lease_owner=owner, lease_until=now + lease, fence=_c.fence + 1)
        .returning(_c.id, _c.edition_id, _c.number, _c.fence)
    ).one_or_none()
    if row is None:
        return None
    e = tables.editions.c
    state = tx.execute(select(e.state).where(e.id == row.edition_id)).scalar_one()
    chunk = Chunk(
        lease=Lease(kind=LetterKind.DELIVERY, row_id=row.id, fence=row.fence),
        edition_id=row.edition_id,
        number=row.number,
        edition_state=EditionState(state),
    )
    _recover(tx, chunk, owner=owner, now=now, uncertain=uncertain)
    return chunk


def _claimable(
    owner: str, held: Collection[int], now: datetime, patience: timedelta
) -> ColumnElement[bool]:
    overdue = _is_overdue(owner, held, now, patience)
    return and_(_c.due_at <= now, or_(_is_free(), overdue))


def _is_free() -> ColumnElement[bool]:
    return and_(_c.lease_until.is_(None), tables.editions.c.state.in_(CARRIED))


def _is_overdue(
    owner: str, held: Collection[int], now: datetime, patience: timedelta
) -> ColumnElement[bool]:
    by = now + patience
    return leases.is_overdue(LetterKind.DELIVERY, owner=owner, held=held, by=by)


def _recover(
    tx: Tx, chunk: Chunk, *, owner: str, now: datetime, uncertain: UncertainPolicy
) -> None:
    """Settle what an earlier holder of the chunk left without an answer."""
    here = and_(
        _d.edition_id == chunk.edition_id,
        _d.chunk == chunk.number,
        _d.state == DeliveryState.DISPATCHING,
    )
    attempts.add_lost(
        tx,
        LetterKind.DELIVERY,
        select(_d.id).where(here),
        worker=owner,
        text=LOST_ANSWER,
        now=now,
    )
    # Also of an edition that is paused: it may go on.
    may_go_on = chunk.edition_state != EditionState.CANCELLED
    again = and_(
        literal(uncertain == UncertainPolicy.RESEND and may_go_on),
        ~attempts.is_past_resending(LetterKind.DELIVERY),
    )
    tx.execute(
        update(tables.deliveries)
        .where(here)
        .values(
            state=case(
                (again, DeliveryState.DEFERRED.value),
                else_=DeliveryState.UNCERTAIN.value,
            ),
            reason=LOST_ANSWER,
            next_attempt_at=case((again, literal(now, UtcDateTime)), else_=null()),
        )
    )


def give_back(
    tx: Tx, chunk: Chunk, *, now: datetime, not_before: datetime | None = None
) -> datetime | None:
    """End a claim and say when the chunk is next due.

    Args:
        tx: A writing transaction that found the lease held.
        chunk: The claim.
        now: The present.
        not_before: Let nobody try earlier: the relay cannot be reached.

    Returns:
        When it is due again; None: every delivery is settled or in doubt.
    """
    mine = and_(_d.edition_id == chunk.edition_id, _d.chunk == chunk.number)
    waiting = case(
        (_d.state == DeliveryState.DEFERRED, _d.next_attempt_at),
        else_=literal(now, UtcDateTime),
    )
    due = tx.execute(
        select(func.min(waiting, type_=UtcDateTime)).where(
            mine, _d.state.in_((*OPEN, DeliveryState.DISPATCHING))
        )
    ).scalar_one()
    if due is not None and not_before is not None:
        due = max(due, not_before)
    tx.execute(
        update(tables.chunks)
        .where(_c.id == chunk.lease.row_id, _c.fence == chunk.lease.fence)
        .values(due_at=due, lease_owner=None, lease_until=None)
    )
    found: datetime | None = due
    return found


def wake(tx: Tx, edition_id: int, numbers: list[int], *, now: datetime) -> None:
    """Make chunks due at once."""
    tx.execute(
        update(tables.chunks)
        .where(_c.edition_id == edition_id, _c.number.in_(numbers))
        .values(due_at=now)
    )


def close_free(tx: Tx, edition_id: int) -> None:
    """Take the chunks of a cancelled edition that nobody holds out of the queue."""
    tx.execute(
        update(tables.chunks)
        .where(_c.edition_id == edition_id, _c.lease_owner.is_(None))
        .values(due_at=None)
    )


def finished_editions(tx: Tx) -> list[int]:
    """Find editions that are `sending` although nothing is left to carry."""
    e = tables.editions.c
    open_chunk = exists().where(_c.edition_id == e.id, _c.due_at.is_not(None))
    query = select(e.id).where(e.state == EditionState.SENDING, ~open_chunk)
    return list(tx.execute(query).scalars())
