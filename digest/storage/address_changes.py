"""Changes of address: asked for by the old one's holder, agreed by the new one's."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select, update

from digest.storage import tables
from digest.storage.engine import Tx

_c = tables.address_changes.c


@dataclass(frozen=True, kw_only=True)
class AddressChange:
    """A change that was asked for.

    Attributes:
        id: Row id.
        subscriber_id: Whose letters.
        newsletter_id: Whose page it was asked on; its language is spoken.
        address: Where they are to go; None once that is settled.
        agreed_at: When it was done.
    """

    id: int
    subscriber_id: int
    newsletter_id: int
    address: str | None
    agreed_at: datetime | None


def add(
    tx: Tx,
    *,
    subscriber_id: int,
    newsletter_id: int,
    address: str,
    address_hash: str,
    now: datetime,
) -> int:
    """Store a change; the reader's earlier ones can be agreed to no more.

    Returns:
        Its row id.
    """
    _settle(tx, subscriber_id)
    row_id = tx.execute(
        insert(tables.address_changes)
        .values(
            subscriber_id=subscriber_id,
            newsletter_id=newsletter_id,
            address=address,
            address_hash=address_hash,
            asked_at=now,
        )
        .returning(_c.id)
    ).scalar_one()
    return int(row_id)


def get(tx: Tx, change_id: int) -> AddressChange | None:
    """Load one change."""
    row = tx.execute(
        select(tables.address_changes).where(_c.id == change_id)
    ).one_or_none()
    if row is None:
        return None
    return AddressChange(
        id=row.id,
        subscriber_id=row.subscriber_id,
        newsletter_id=row.newsletter_id,
        address=row.address,
        agreed_at=row.agreed_at,
    )


def agree(tx: Tx, change: AddressChange, *, now: datetime) -> None:
    """Note that a change was made; nothing else the reader asked for is open then."""
    tx.execute(
        update(tables.address_changes).where(_c.id == change.id).values(agreed_at=now)
    )
    _settle(tx, change.subscriber_id)


def last_agreed(tx: Tx, subscriber_id: int) -> datetime | None:
    """Return when a reader's address last changed; None: never."""
    found: datetime | None = tx.execute(
        select(func.max(_c.agreed_at)).where(_c.subscriber_id == subscriber_id)
    ).scalar_one()
    return found


def count_by(tx: Tx, subscriber_id: int, *, since: datetime) -> int:
    """Count what a reader asked for since an instant."""
    query = select(func.count(_c.id)).where(
        _c.subscriber_id == subscriber_id, _c.asked_at > since
    )
    return int(tx.execute(query).scalar_one())


def count_to(tx: Tx, address_hash: str, *, since: datetime) -> int:
    """Count how often an address was asked to agree since an instant."""
    query = select(func.count(_c.id)).where(
        _c.address_hash == address_hash, _c.asked_at > since
    )
    return int(tx.execute(query).scalar_one())


def forget_before(tx: Tx, before: datetime) -> None:
    """Clear the addresses of changes that nobody agreed to in time."""
    tx.execute(
        update(tables.address_changes)
        .where(_c.asked_at < before, _c.address.is_not(None))
        .values(address=None)
    )


def _settle(tx: Tx, subscriber_id: int) -> None:
    tx.execute(
        update(tables.address_changes)
        .where(_c.subscriber_id == subscriber_id, _c.address.is_not(None))
        .values(address=None)
    )
