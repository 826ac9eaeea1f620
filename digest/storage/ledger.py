"""The ledger's writes, the same for deliveries and notices.

Whoever calls these has checked the leases in the same transaction (`held`): a worker
that lost its lease writes nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Row,
    Table,
    Text,
    and_,
    bindparam,
    case,
    func,
    null,
    or_,
    select,
    update,
)

from digest.domain.deliveries import Intent, Lease, LetterKind, Result
from digest.domain.states import DeliveryState, EditionState
from digest.storage import attempts, bars, tables
from digest.storage.attempts import LETTERS
from digest.storage.batch import Batch, Columns, Statement
from digest.storage.engine import Tx
from digest.storage.types import UtcDateTime

OPEN = (DeliveryState.QUEUED, DeliveryState.DEFERRED)
"""The states from which a letter may be handed over."""

CARRIED = (EditionState.SENDING, EditionState.SENT)
"""The states in which an edition's letters are carried: of a sent one, those an
operator asked to send again."""


def held(tx: Tx, leases: Collection[Lease]) -> Mapping[Lease, bool]:
    """Say which leases still hold, and keep them until the transaction ends.

    Returns:
        The leases nobody has taken over; whether new letters may be handed over
        under each (not while the edition is paused or cancelled).
    """
    chunks = [lease for lease in leases if lease.kind == LetterKind.DELIVERY]
    notices = [lease for lease in leases if lease.kind == LetterKind.NOTICE]
    found: dict[Lease, bool] = {}
    if chunks:
        found |= _held_chunks(tx, chunks)
    if notices:
        found |= _held_notices(tx, notices)
    return found


def _held_chunks(tx: Tx, leases: Sequence[Lease]) -> Mapping[Lease, bool]:
    query = _chunks_query(tx.dialect)
    found: Iterable[Any] = query.execute(tx, [[lease.row_id] for lease in leases])
    rows = {(row[0], row[1]): row[2] for row in found}
    return {
        lease: rows[lease.row_id, lease.fence] in CARRIED
        for lease in leases
        if (lease.row_id, lease.fence) in rows
    }


@cache
def _chunks_query(dialect: Dialect) -> Statement:
    c, batch = tables.chunks.c, Batch({"id": int}, dialect.name)
    query = (
        select(c.id, c.fence, tables.editions.c.state)
        .join(tables.editions)
        .where(c.id.in_(select(batch["id"])))
        # PostgreSQL: nobody may claim between this check and our commit.
        .with_for_update(read=True, of=tables.chunks)
    )
    return Statement(query, batch, dialect)


def _held_notices(tx: Tx, leases: Sequence[Lease]) -> Mapping[Lease, bool]:
    c = tables.notices.c
    query = (
        select(c.id, c.fence)
        .where(c.id.in_([lease.row_id for lease in leases]))
        .with_for_update()
    )
    rows = {(row.id, row.fence) for row in tx.execute(query)}
    return {lease: True for lease in leases if (lease.row_id, lease.fence) in rows}


def intend(tx: Tx, kind: LetterKind, intents: Sequence[Intent]) -> set[int]:
    """Make letters `dispatching`, unless their readers left or they are closed.

    Returns:
        The row ids that are `dispatching` now.
    """
    now = intents[0].at
    rows = [(i.letter_id, i.dated_at) for i in intents]
    changed = _intend(kind, tx.dialect).execute(tx, rows, now=now)
    asked = {i.letter_id for i in intents}
    if changed.rowcount == len(asked):
        return asked
    return _dispatching(tx, kind, asked) - set(
        bars.barred(tx, kind, list(asked), now=now)
    )


def take_back(tx: Tx, letters: Collection[int]) -> None:
    """Put deliveries back in line whose intent was written but is not followed.

    Only their worker knows that nothing of them was handed over, and only while its
    lease holds.
    """
    c = tables.deliveries.c
    is_first = c.attempts <= 1
    tx.execute(
        update(tables.deliveries)
        .where(c.id.in_(letters), c.state == DeliveryState.DISPATCHING)
        .values(
            state=DeliveryState.QUEUED,
            attempts=c.attempts - 1,
            first_attempt_at=case((is_first, null()), else_=c.first_attempt_at),
            dated_at=case((is_first, null()), else_=c.dated_at),
        )
    )


@cache
def _intend(kind: LetterKind, dialect: Dialect) -> Statement:
    table = LETTERS[kind]
    c, batch = table.c, Batch({"id": int, "dated_at": datetime}, dialect.name)
    now = bindparam("now", type_=UtcDateTime)
    statement = (
        update(table)
        .where(c.id == batch["id"], bars.is_free(kind, now))
        # Also `dispatching`: under a fence that holds it is our own intent, of a
        # commit whose answer did not reach us, or of a connection that was replaced.
        .where(or_(*(c.state == s for s in (*OPEN, DeliveryState.DISPATCHING))))
        .values(
            state=DeliveryState.DISPATCHING,
            attempts=c.attempts
            + case((c.state == DeliveryState.DISPATCHING, 0), else_=1),
            first_attempt_at=func.coalesce(c.first_attempt_at, now),
            dated_at=batch["dated_at"],
            next_attempt_at=_kept_due(kind, now),
            reason=None,
        )
    )
    return Statement(statement, batch, dialect)


def _dispatching(tx: Tx, kind: LetterKind, letters: Collection[int]) -> set[int]:
    c = LETTERS[kind].c
    query = select(c.id).where(c.id.in_(letters), c.state == DeliveryState.DISPATCHING)
    return set(tx.execute(query).scalars())


def _kept_due(
    kind: LetterKind, now: ColumnElement[datetime]
) -> ColumnElement[datetime] | None:
    # A chunk's due time makes its deliveries found again after a crash; a notice
    # stands alone, so its own must stay.
    return now if kind == LetterKind.NOTICE else None


def settle(tx: Tx, kind: LetterKind, results: Sequence[Result], *, worker: str) -> None:
    """Write results, and keep the tries that did not end in `sent`."""
    sent = [r for r in results if r.state == DeliveryState.SENT]
    others = _unwritten(tx, kind, [r for r in results if r.state != DeliveryState.SENT])
    if sent:
        rows = [(r.letter_id, r.smtp_code, r.smtp_text, r.at) for r in sent]
        _settle_sent(kind, tx.dialect).execute(tx, rows)
    if others:
        # First, since a new Date is only allowed where no try is in doubt.
        tried = [r for r in others if r.tried]
        attempts.add(tx, kind, tried, worker=worker)
        tx.execute(_settle_others(kind), [_parameters(r) for r in others])
        # Last, under the locks of the rows: an erasure came before, or comes after.
        attempts.hush_erased(tx, kind, [r.letter_id for r in tried])


def _unwritten(tx: Tx, kind: LetterKind, results: Sequence[Result]) -> Sequence[Result]:
    """Leave out what was written by a commit whose answer did not reach us."""
    if not results:
        return results
    c = LETTERS[kind].c
    query = (
        select(c.id, c.state, c.next_attempt_at)
        .where(c.id.in_([r.letter_id for r in results]))
        .order_by(c.id)
        .with_for_update()
    )
    rows: Mapping[int, Any] = {row.id: row for row in tx.execute(query)}
    return [r for r in results if _may_follow(r, rows[r.letter_id])]


def _may_follow(result: Result, row: Row[Any]) -> bool:
    """Tell whether a row is as the try left it, and not yet as the result says."""
    if row.state == DeliveryState.DISPATCHING:
        return True
    if result.intended or row.state not in OPEN:
        return False
    again = result.next_attempt_at
    return again is None or row.next_attempt_at != again


@cache
def _settle_sent(kind: LetterKind, dialect: Dialect) -> Statement:
    columns: Columns = {"id": int, "code": int, "text": str, "at": datetime}
    table, batch = LETTERS[kind], Batch(columns, dialect.name)
    statement = (
        update(table)
        .where(table.c.id == batch["id"])
        .where(table.c.state == DeliveryState.DISPATCHING)
        .values(
            state=DeliveryState.SENT,
            smtp_code=batch["code"],
            smtp_text=reply_text(table, batch["text"]),
            settled_at=batch["at"],
            next_attempt_at=None,
            **_given_back(kind),
        )
    )
    return Statement(statement, batch, dialect)


def _settle_others(kind: LetterKind) -> Any:
    table = LETTERS[kind]
    c = table.c
    stays = and_(bindparam("p_in_doubt") == 1, attempts.is_past_resending(kind))
    is_anew = and_(bindparam("p_refusals") == 1, ~attempts.is_in_doubt(kind))
    again = bindparam("p_next", type_=UtcDateTime)
    return (
        update(table)
        .where(c.id == bindparam("p_id"))
        # Not IN: that cannot be executed for many rows at once.
        .where(or_(*(c.state == s for s in (*OPEN, DeliveryState.DISPATCHING))))
        .values(
            state=case(
                (stays, DeliveryState.UNCERTAIN.value), else_=bindparam("p_state")
            ),
            reason=bindparam("p_reason"),
            attempts=c.attempts + bindparam("p_tries"),
            refusals=c.refusals + bindparam("p_refusals"),
            first_attempt_at=func.coalesce(
                c.first_attempt_at, bindparam("p_tried_at", type_=UtcDateTime)
            ),
            # A copy may already be with the reader: the next must be the same.
            dated_at=case((is_anew, null()), else_=c.dated_at),
            smtp_code=bindparam("p_code"),
            smtp_text=reply_text(table, bindparam("p_text", type_=Text)),
            next_attempt_at=case((stays, null()), else_=again),
            settled_at=bindparam("p_settled", type_=UtcDateTime),
            **_given_back(kind),
        )
    )


def reply_text(table: Table, text: ColumnElement[Any]) -> ColumnElement[str | None]:
    """What the server said, unless the reader was erased meanwhile: it quotes them."""
    return case((table.c.address.is_(None), null()), else_=text)


def _given_back(kind: LetterKind) -> Mapping[str, Any]:
    """A notice's lease ends with its result; a chunk's with its last delivery."""
    if kind == LetterKind.DELIVERY:
        return {}
    return {"lease_owner": None, "lease_until": None}


_FINAL = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.SKIPPED)


def _parameters(result: Result) -> Mapping[str, Any]:
    again = result.next_attempt_at is not None
    return {
        "p_id": result.letter_id,
        "p_code": result.smtp_code,
        "p_text": result.smtp_text,
        # One in doubt that is sent again waits in line like any other; that it was
        # in doubt stays in its attempts.
        "p_state": DeliveryState.DEFERRED if again else result.state,
        "p_in_doubt": int(result.state == DeliveryState.UNCERTAIN),
        "p_reason": result.reason,
        "p_tries": int(result.tried and not result.intended),
        "p_tried_at": result.at if result.tried else None,
        "p_refusals": int(result.refused),
        "p_next": result.next_attempt_at,
        "p_settled": result.at if result.state in _FINAL else None,
    }
