"""Whom programs of ours answered, and when: known by keyed hash alone."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from digest.storage import tables
from digest.storage.engine import Tx
from digest.storage.insertion import insert_once

_c = tables.auto_replies.c

# RFC 3834 §2 recommends seven days for answers that only explain.
BETWEEN_ANSWERS = timedelta(days=1)
BETWEEN_HELP = timedelta(days=7)


def claim(tx: Tx, address_hash: str, *, is_help: bool, now: datetime) -> bool:
    """Take the right to answer an address, in the transaction that queues the answer.

    Args:
        tx: A write transaction.
        address_hash: `Secrets.hash_address`.
        is_help: The answer only explains.
        now: When.

    Returns:
        Whether it may be answered.
    """
    helped = {"helped_at": now} if is_help else {}
    values = {"address_hash": address_hash, "at": now, **helped}
    if insert_once(tx, tables.auto_replies, values):
        return True
    row = tx.execute(
        select(_c.at, _c.helped_at)
        .where(_c.address_hash == address_hash)
        .with_for_update()
    ).one()
    too_soon = now - row.at < BETWEEN_ANSWERS
    helped_lately = row.helped_at is not None and now - row.helped_at < BETWEEN_HELP
    if too_soon or (is_help and helped_lately):
        return False
    tx.execute(
        update(tables.auto_replies)
        .where(_c.address_hash == address_hash)
        .values(at=now, **helped)
    )
    return True


def forget(tx: Tx, *, now: datetime) -> int:
    """Delete what limits nobody any more.

    Returns:
        How many rows.
    """
    gone = tx.execute(delete(tables.auto_replies).where(_c.at < now - BETWEEN_HELP))
    return gone.rowcount
