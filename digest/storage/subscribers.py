"""Subscribers: the addresses we know."""

from datetime import datetime

from sqlalchemy import Row, select, update
from sqlalchemy.exc import IntegrityError

from digest.domain.addresses import EmailAddress
from digest.domain.states import DeliveryState
from digest.domain.subscribers import Subscriber
from digest.storage import tables
from digest.storage.engine import Tx
from digest.storage.insertion import insert_once

_c = tables.subscribers.c


def find(tx: Tx, key: str) -> Subscriber | None:
    """Look a reader up by `EmailAddress.key`; erased ones are not found."""
    row = tx.execute(
        select(tables.subscribers).where(_c.address_key == key)
    ).one_or_none()
    return None if row is None else _load(row)


def get(tx: Tx, subscriber_id: int) -> Subscriber | None:
    """Load one reader by row id."""
    row = tx.execute(
        select(tables.subscribers).where(_c.id == subscriber_id)
    ).one_or_none()
    return None if row is None else _load(row)


def add(
    tx: Tx, address: EmailAddress, *, name: str, address_hash: str, now: datetime
) -> Subscriber:
    """Store a reader, or return the one who has that address already.

    The row stays locked until the transaction ends, so that two requests for one
    address follow each other.

    Args:
        tx: A write transaction.
        address: Parsed.
        name: May be empty; a name that is already stored is kept.
        address_hash: `Secrets.hash_address(address.key)`.
        now: When.
    """
    insert_once(
        tx,
        tables.subscribers,
        {
            "address": address.address,
            "address_key": address.key,
            "domain": address.domain,
            "address_hash": address_hash,
            "name": name,
            "created_at": now,
        },
    )
    row = tx.execute(
        select(tables.subscribers)
        .where(_c.address_key == address.key)
        .with_for_update()
    ).one()
    return _load(row)


def lock(tx: Tx, subscriber_id: int) -> Subscriber | None:
    """Load one reader and keep others from changing what is theirs meanwhile."""
    row = tx.execute(
        select(tables.subscribers).where(_c.id == subscriber_id).with_for_update()
    ).one_or_none()
    return None if row is None else _load(row)


def rename(
    tx: Tx, subscriber_id: int, address: EmailAddress, *, address_hash: str
) -> bool:
    """Give a reader another address.

    Letters of theirs that were never tried go there, too.

    Returns:
        False where another reader has it, perhaps since a moment ago.
    """
    renamed = (
        update(tables.subscribers)
        .where(_c.id == subscriber_id)
        .values(
            address=address.address,
            address_key=address.key,
            domain=address.domain,
            address_hash=address_hash,
        )
    )
    try:
        with tx.begin_nested():
            tx.execute(renamed)
    except IntegrityError:
        return False
    d = tables.deliveries.c
    tx.execute(
        update(tables.deliveries)
        .where(
            d.subscriber_id == subscriber_id,
            d.state == DeliveryState.QUEUED,
            d.attempts == 0,
            d.address.is_not(None),
        )
        .values(address=address.address)
    )
    return True


def _load(row: Row[tuple[object, ...]]) -> Subscriber:
    return Subscriber(
        id=row.id,
        address=row.address,
        address_hash=row.address_hash,
        name=row.name,
        created_at=row.created_at,
        erased_at=row.erased_at,
    )
