"""Tallies: what was taken of allowances, counted for all processes together."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select

from digest.domain.allowances import Allowance
from digest.storage import tables
from digest.storage.engine import Tx
from digest.storage.insertion import insert_or_add

_c = tables.tallies.c


def take(tx: Tx, allowances: Sequence[Allowance], *, now: datetime) -> bool:
    """Count one against each allowance, unless one of them is used up.

    Args:
        tx: A write transaction.
        allowances: Some.
        now: When.

    Returns:
        Whether it was counted; it is against all of them or none.
    """
    tx.execute(delete(tables.tallies).where(_c.until <= now))
    # Always in the same order, or two requests would wait for each other.
    ordered = sorted(allowances, key=lambda allowance: allowance.key)
    with tx.begin_nested() as trial:
        for allowance in ordered:
            start, until = allowance.part_of(now)
            row = {"key": allowance.key, "start": start, "until": until, "taken": 1}
            insert_or_add(tx, tables.tallies, row, counter="taken")
            if _count(tx, allowance, now) > allowance.most:
                trial.rollback()
                return False
    return True


def has_room(tx: Tx, allowances: Sequence[Allowance], *, now: datetime) -> bool:
    """Tell whether nothing is used up, without counting."""
    return all(_count(tx, each, now) < each.most for each in allowances)


def _count(tx: Tx, allowance: Allowance, now: datetime) -> int:
    query = select(func.coalesce(func.sum(_c.taken), 0))
    found = tx.execute(query.where(_c.key == allowance.key, _c.until > now))
    return int(found.scalar_one())
