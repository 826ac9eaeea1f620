"""What a worker loads of a chunk: the letters that are due, quickly."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Dialect, Integer, and_, bindparam, or_, select

from digest.domain.deliveries import Delivery
from digest.domain.states import DeliveryState, SkipReason
from digest.storage import tables
from digest.storage.bars import bar_of_delivery, join_readers
from digest.storage.batch import Statement
from digest.storage.chunks import Chunk
from digest.storage.engine import Tx
from digest.storage.types import Id, UtcDateTime

_c = tables.deliveries.c


def load(
    tx: Tx, chunk: Chunk, *, now: datetime
) -> list[tuple[Delivery, SkipReason | None]]:
    """Load a chunk's deliveries that are due, each with why it may not be sent."""
    query = _open_query(tx.dialect)
    rows = query.execute(
        tx, now=now, edition_id=chunk.edition_id, number=chunk.number
    ).all()
    return [_load(row) for row in rows]


@cache
def _open_query(dialect: Dialect) -> Statement:
    now = bindparam("now", type_=UtcDateTime)
    query = join_readers(
        select(
            *(_c.id, _c.edition_id, _c.subscription_id, _c.variant_id, _c.address),
            *(_c.confirmed_on, _c.key_id, _c.state, _c.attempts, _c.refusals),
            *(_c.first_attempt_at, _c.dated_at, bar_of_delivery(now)),
        )
    ).where(
        _c.edition_id == bindparam("edition_id", type_=Id),
        _c.chunk == bindparam("number", type_=Integer),
        or_(
            _c.state == DeliveryState.QUEUED,
            and_(_c.state == DeliveryState.DEFERRED, _c.next_attempt_at <= now),
        ),
    )
    return Statement(query.order_by(_c.id), None, dialect)


def _load(row: Sequence[Any]) -> tuple[Delivery, SkipReason | None]:
    # By place: this is done for every letter.
    delivery = Delivery(
        id=row[0],
        edition_id=row[1],
        subscription_id=row[2],
        variant_id=row[3],
        address=row[4],
        confirmed_on=_read_date(row[5]),
        key_id=row[6],
        state=DeliveryState(row[7]),
        attempts=row[8],
        refusals=row[9],
        first_attempt_at=_read_time(row[10]),
        dated_at=_read_time(row[11]),
    )
    return delivery, SkipReason(row[12]) if row[12] else None


@lru_cache(maxsize=4096)
def _read_date(stored: date | str) -> date:
    # Readers by the thousand share one.
    return date.fromisoformat(stored) if isinstance(stored, str) else stored


def _read_time(stored: datetime | str | None) -> datetime | None:
    if stored is None:
        return None
    if isinstance(stored, str):
        return datetime.fromisoformat(stored).replace(tzinfo=UTC)
    return stored.astimezone(UTC)
