"""Rates: what all workers together took of each limit of speed."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update

from digest.domain.rates import Limit, Used, take
from digest.storage import tables
from digest.storage.engine import Tx
from digest.storage.insertion import insert_once
from digest.storage.types import UtcDateTime

_c = tables.rates.c


def lease(tx: Tx, limits: Sequence[Limit], *, now: datetime) -> Mapping[str, int]:
    """Take one share of each limit, as far as something is left.

    Args:
        tx: A writing transaction; commit it before anything is sent.
        limits: Some limits.
        now: The present; workers of one database need clocks that agree.

    Returns:
        How many permits were taken, by the limit's key.
    """
    # Always in the same order, or two workers would wait for each other.
    ordered = sorted(limits, key=lambda limit: limit.key)
    return {limit.key: _lease(tx, limit, now) for limit in ordered}


def _lease(tx: Tx, limit: Limit, now: datetime) -> int:
    row = _lock(tx, limit.key)
    if row is None:
        fresh = {"key": limit.key, "span": limit.start(now), "taken": 0}
        insert_once(tx, tables.rates, fresh)
        row = _lock(tx, limit.key)
    used, granted = take(limit, row, now=now)
    if granted:
        tx.execute(
            update(tables.rates)
            .where(_c.key == limit.key)
            .values(span=used.span, taken=used.taken)
        )
    return granted


def _lock(tx: Tx, key: str) -> Used | None:
    query = select(_c.span, _c.taken).where(_c.key == key).with_for_update()
    row = tx.execute(query).one_or_none()
    return None if row is None else Used(span=row.span, taken=row.taken)


def forget(tx: Tx, *, before: datetime) -> None:
    """Delete what was taken in spans that began before: one row for each domain."""
    tx.execute(delete(tables.rates).where(_c.span < before))


def first_release(tx: Tx) -> datetime | None:
    """Return when the first edition ever was released: a ramp begins there."""
    released_at = tables.editions.c.released_at
    query = select(func.min(released_at, type_=UtcDateTime))
    found: datetime | None = tx.execute(query).scalar_one()
    return found
