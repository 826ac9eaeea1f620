"""The homes that may send for this database, and how far each went."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from digest.domain.homes import Home, Place
from digest.storage import tables
from digest.storage.engine import Tx

_c = tables.homes.c


def list_all(tx: Tx) -> list[Home]:
    """Load every home, the longest known first."""
    query = select(tables.homes).order_by(_c.adopted_at, _c.id)
    return [_load(row) for row in tx.execute(query)]


def is_used(tx: Tx) -> bool:
    """Whether an edition ever went to the post."""
    c = tables.editions.c
    query = select(c.id).where(c.released_at.is_not(None)).limit(1)
    return tx.execute(query).first() is not None


def put(tx: Tx, place: Place, *, by: str, now: datetime) -> None:
    """Store that a home may send from now on, in place of what was known of it."""
    tx.execute(delete(tables.homes).where(_c.id == place.id))
    tx.execute(
        insert(tables.homes).values(
            id=place.id,
            place=place.name,
            mark=place.mark,
            seen_at=now,
            adopted_by=by,
            adopted_at=now,
        )
    )


def advance(tx: Tx, home_id: str, *, now: datetime) -> int:
    """Count one step on.

    Returns:
        How far the home is now.
    """
    changed = tx.execute(
        update(tables.homes)
        .where(_c.id == home_id)
        .values(mark=_c.mark + 1, seen_at=now)
        .returning(_c.mark)
    )
    return int(changed.scalar_one())


def _load(row: Row[Any]) -> Home:
    return Home(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
