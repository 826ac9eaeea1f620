"""The suppression list: addresses that are never written to, known by keyed hash."""

from datetime import datetime

from sqlalchemy import Row, delete, select, update

from digest.domain.states import SuppressionReason
from digest.domain.subscribers import Suppression, is_stronger
from digest.storage import tables
from digest.storage.engine import Tx
from digest.storage.insertion import insert_once

_c = tables.suppressions.c


def find(tx: Tx, address_hash: str) -> Suppression | None:
    """Look an address up by its keyed hash."""
    row = tx.execute(
        select(tables.suppressions).where(_c.address_hash == address_hash)
    ).one_or_none()
    return None if row is None else _load(row)


def add(
    tx: Tx,
    *,
    address_hash: str,
    address: str | None,
    reason: SuppressionReason,
    detail: str,
    now: datetime,
) -> bool:
    """Suppress an address; an earlier reason stays unless the new one is stronger.

    Returns:
        Whether the list changed.
    """
    values = {"reason": reason, "detail": detail, "at": now, "address": address}
    if insert_once(tx, tables.suppressions, {"address_hash": address_hash, **values}):
        return True
    weaker = [old for old in SuppressionReason if is_stronger(reason, old)]
    changed = tx.execute(
        update(tables.suppressions)
        .where(_c.address_hash == address_hash, _c.reason.in_(weaker))
        .values(**values)
    )
    return changed.rowcount == 1


def remove(tx: Tx, address_hash: str) -> bool:
    """Take an address off the list.

    Returns:
        Whether it was on it.
    """
    gone = tx.execute(
        delete(tables.suppressions).where(_c.address_hash == address_hash)
    )
    return gone.rowcount == 1


def _load(row: Row[tuple[object, ...]]) -> Suppression:
    return Suppression(
        address_hash=row.address_hash,
        address=row.address,
        reason=SuppressionReason(row.reason),
        detail=row.detail,
        at=row.at,
    )
