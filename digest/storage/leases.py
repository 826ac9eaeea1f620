"""Leases: heartbeats lengthen them, and where those stay away they are challenged."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import cache

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Table,
    and_,
    bindparam,
    false,
    or_,
    select,
    update,
)

from digest.domain.deliveries import Lease, LetterKind
from digest.storage import tables
from digest.storage.batch import Batch, Statement
from digest.storage.engine import Tx
from digest.storage.types import UtcDateTime

_LEASED: Mapping[LetterKind, Table] = {
    LetterKind.DELIVERY: tables.chunks,
    LetterKind.NOTICE: tables.notices,
}


def renew(tx: Tx, leases: Iterable[Lease], *, until: datetime) -> None:
    """Lengthen leases; one that was lost stays lost, one that lasts longer as it is."""
    by_kind: dict[LetterKind, list[tuple[int, int]]] = defaultdict(list)
    for lease in leases:
        by_kind[lease.kind].append((lease.row_id, lease.fence))
    for kind, rows in by_kind.items():
        _renew(kind, tx.dialect).execute(tx, rows, until=until)


@cache
def _renew(kind: LetterKind, dialect: Dialect) -> Statement:
    table, batch = _LEASED[kind], Batch({"id": int, "fence": int}, dialect.name)
    c, until = table.c, bindparam("until", type_=UtcDateTime)
    statement = (
        update(table)
        .where(c.id == batch["id"], c.fence == batch["fence"])
        .where(c.lease_owner.is_not(None), c.lease_until < until)
        .values(lease_until=until)
    )
    return Statement(statement, batch, dialect)


def is_overdue(
    kind: LetterKind, *, owner: str, held: Collection[int], by: datetime
) -> ColumnElement[bool]:
    """Whether a lease ends by then, since heartbeats stayed away.

    Args:
        kind: What the lease is of.
        owner: Who asks.
        held: Rows they hold: who was held up goes on under their own leases. One in
            their name that they do not know was committed without an answer.
        by: When.
    """
    c = _LEASED[kind].c
    is_ours = and_(c.lease_owner == owner, c.id.in_(held))
    return and_(c.lease_until <= by, ~is_ours)


def challenge(
    tx: Tx, kind: LetterKind, overdue: ColumnElement[bool], *, now: datetime
) -> list[Lease]:
    """End overdue leases now, which the next heartbeat of a living holder undoes.

    It changes the rows, and so it also shows that the database can be written.

    Args:
        tx: A writing transaction.
        kind: What the leases are of.
        overdue: Which.
        now: The present.

    Returns:
        Those that were overdue, each under its fence.
    """
    table = _LEASED[kind]
    found = (
        select(table.c.id)
        .where(overdue)
        # PostgreSQL: one that is locked is just being renewed, or challenged.
        .with_for_update(skip_locked=True)
        .cte("overdue")
    )
    rows = tx.execute(
        update(table)
        .where(table.c.id.in_(select(found.c.id)))
        .values(lease_until=now)
        .returning(table.c.id, table.c.fence)
    )
    return [Lease(kind=kind, row_id=row.id, fence=row.fence) for row in rows]


def is_one_of(kind: LetterKind, leases: Collection[Lease]) -> ColumnElement[bool]:
    """Whether a row is still under one of some leases."""
    c = _LEASED[kind].c
    same = (and_(c.id == lease.row_id, c.fence == lease.fence) for lease in leases)
    return or_(false(), *same)
