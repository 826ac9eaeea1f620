"""What came in by mail: kept whole before anybody is told that it was taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from digest.domain.errors import NotFoundError
from digest.domain.own_mail import InboxState, Incoming, MessageKind, Verdict
from digest.storage import tables
from digest.storage.engine import Tx

_c, _r = tables.inbox.c, tables.inbox_raw.c
_LENGTH = 320
_LISTED = (
    _c.id,
    _c.received_at,
    _c.sender,
    _c.recipient,
    _c.octets,
    _c.state,
    _c.kind,
    _c.why,
)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A message as lists show it.

    Attributes:
        id: Row id.
        received_at: When it was taken.
        sender: The envelope sender; empty: the null sender.
        recipient: The address of ours.
        octets: Its size.
        state: Where it is.
        kind: What it is; None: not yet read.
        why: What an operator wants to know of it.
    """

    id: int
    received_at: datetime
    sender: str
    recipient: str
    octets: int
    state: InboxState
    kind: MessageKind | None
    why: str


def add(
    tx: Tx, *, raw: bytes, sender: str, recipient: str, now: datetime, tries: int = 0
) -> int:
    """Keep a message.

    Args:
        tx: A write transaction.
        raw: Exactly the octets that came.
        sender: The envelope sender.
        recipient: The address of ours.
        now: When.
        tries: 1 where who keeps it acts upon it at once.

    Returns:
        Its row id.
    """
    row_id = tx.execute(
        insert(tables.inbox)
        .values(
            received_at=now,
            sender=sender[:_LENGTH],
            recipient=recipient[:_LENGTH],
            octets=len(raw),
            state=InboxState.RECEIVED,
            tries=tries,
        )
        .returning(_c.id)
    ).scalar_one()
    tx.execute(insert(tables.inbox_raw).values(message_id=row_id, raw=raw))
    return int(row_id)


def begin(tx: Tx, message_id: int) -> Incoming | None:
    """Count a try and load a message that waits; None: it waits no more."""
    row = tx.execute(
        update(tables.inbox)
        .where(_c.id == message_id, _c.state == InboxState.RECEIVED)
        .values(tries=_c.tries + 1)
        .returning(tables.inbox)
    ).one_or_none()
    return None if row is None else _load(row, _read(tx, message_id))


def settle(tx: Tx, message_id: int, verdict: Verdict, *, now: datetime) -> bool:
    """Write down what became of a message.

    Returns:
        Whether it waited still.
    """
    changed = tx.execute(
        update(tables.inbox)
        .where(_c.id == message_id, _c.state == InboxState.RECEIVED)
        .values(
            state=verdict.state,
            kind=verdict.kind,
            why=verdict.why,
            settled_at=now,
        )
    )
    return changed.rowcount == 1


def waiting(tx: Tx, *, before: datetime, limit: int = 100) -> Sequence[int]:
    """List messages that were taken before an instant and not acted upon."""
    query = (
        select(_c.id)
        .where(_c.state == InboxState.RECEIVED, _c.received_at <= before)
        .order_by(_c.id)
        .limit(limit)
    )
    return [int(row_id) for row_id in tx.execute(query).scalars()]


def count_for(tx: Tx, recipients: Sequence[str], *, since: datetime) -> int:
    """Count what came to some addresses after an instant."""
    query = select(func.count()).where(
        _c.recipient.in_(recipients), _c.received_at > since
    )
    return int(tx.execute(query).scalar_one())


def list_quarantined(
    tx: Tx, *, kind: MessageKind | None = None, after: int = 0, limit: int
) -> Sequence[Kept]:
    """List the quarantine, oldest first."""
    query = (
        select(*_LISTED)
        .where(_c.state == InboxState.QUARANTINED, _c.id > after)
        .order_by(_c.id)
        .limit(limit)
    )
    if kind is not None:
        query = query.where(_c.kind == kind)
    return [_load_kept(row) for row in tx.execute(query).all()]


def look(tx: Tx, message_id: int) -> tuple[Kept, bytes]:
    """Load any message that is kept, and its octets.

    Raises:
        NotFoundError: There is none with this number.
    """
    row = tx.execute(select(*_LISTED).where(_c.id == message_id)).one_or_none()
    if row is None:
        raise NotFoundError(
            f"There is no message {message_id}.", "See: digest quarantine list"
        )
    return _load_kept(row), _read(tx, message_id)


def delete_quarantined(tx: Tx, message_ids: Sequence[int]) -> Sequence[int]:
    """Delete messages of the quarantine.

    Returns:
        The ids of those that were there.
    """
    gone = tx.execute(
        delete(tables.inbox)
        .where(_c.id.in_(message_ids), _c.state == InboxState.QUARANTINED)
        .returning(_c.id)
    )
    return sorted(int(row_id) for row_id in gone.scalars())


def quarantined_before(
    tx: Tx, *, kind: MessageKind | None, before: datetime
) -> Sequence[int]:
    """List messages that came into the quarantine before an instant."""
    query = select(_c.id).where(
        _c.state == InboxState.QUARANTINED, _c.received_at < before
    )
    if kind is not None:
        query = query.where(_c.kind == kind)
    return [int(row_id) for row_id in tx.execute(query).scalars()]


def forget_done(tx: Tx, *, before: datetime) -> int:
    """Delete what was done before an instant.

    Returns:
        How many.
    """
    gone = tx.execute(
        delete(tables.inbox).where(_c.state == InboxState.DONE, _c.settled_at < before)
    )
    return gone.rowcount


def find_naming(tx: Tx, address: str) -> Sequence[int]:
    """List messages that hold an address.

    All that is kept is read, which takes seconds where it is much: this is for a
    transaction that holds up nobody.
    """
    return [int(row_id) for row_id in tx.execute(_naming(tx, address)).scalars()]


def forget_sender(
    tx: Tx, address: str, *, known: Sequence[int], since: datetime
) -> int:
    """Delete what an address sent, or what names it: its reader was erased.

    Args:
        tx: A write transaction.
        address: Theirs.
        known: What `find_naming` listed.
        since: What came after it may be missing there, and is looked through now.

    Returns:
        How many.
    """
    late = select(_c.id).where(_c.received_at >= since)
    named = _naming(tx, address).where(_r.message_id.in_(late))
    sent = _c.sender.in_(_spell(address))
    gone = tx.execute(
        delete(tables.inbox).where(or_(sent, _c.id.in_(known), _c.id.in_(named)))
    )
    return gone.rowcount


def _naming(tx: Tx, address: str) -> Select[int]:
    held = (_holds(tx, each.encode()) for each in _spell(address))
    return select(_r.message_id).where(or_(*held))


def _spell(address: str) -> Sequence[str]:
    return sorted({address, address.lower()})


def _read(tx: Tx, message_id: int) -> bytes:
    query = select(_r.raw).where(_r.message_id == message_id)
    return bytes(tx.execute(query).scalar_one())


def _holds(tx: Tx, octets: bytes) -> ColumnElement[bool]:
    """Whether a message's octets hold these."""
    wanted = literal(octets)
    if tx.dialect.name == "sqlite":
        return func.instr(_r.raw, wanted) > 0
    return func.position(wanted.op("IN")(_r.raw)) > 0


def _load(row: Row[Any], raw: bytes) -> Incoming:
    return Incoming(
        id=row.id,
        received_at=row.received_at,
        sender=row.sender,
        recipient=row.recipient,
        raw=raw,
        tries=row.tries,
    )


def _load_kept(row: Row[*tuple[Any, ...]]) -> Kept:
    return Kept(
        id=row.id,
        received_at=row.received_at,
        sender=row.sender,
        recipient=row.recipient,
        octets=row.octets,
        state=InboxState(row.state),
        kind=None if row.kind is None else MessageKind(row.kind),
        why=row.why,
    )
