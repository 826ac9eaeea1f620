"""Deliveries: one row for each edition and reader."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    null,
    select,
    update,
)

from digest.domain.deliveries import LetterKind
from digest.domain.states import DeliveryState, SkipReason
from digest.storage import attempts, chunks, tables
from digest.storage.bars import (
    is_receiving,
    is_suppressed,
)
from digest.storage.corrections import has_got
from digest.storage.engine import Tx
from digest.storage.ledger import CARRIED, OPEN
from digest.storage.types import UtcDateTime

_c = tables.deliveries.c
_v = tables.variants.c
_s = tables.subscriptions.c


class Listed(NamedTuple):
    """A delivery as it is listed."""

    id: int
    address: str | None
    state: str
    attempts: int
    smtp_code: int | None
    smtp_text: str | None
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Where an edition's deliveries are.

    Attributes:
        by_state: How many are in each state; absent: none.
        recent: How many were sent since the instant that was asked for.
    """

    by_state: Mapping[DeliveryState, int]
    recent: int

    def open(self) -> int:
        """Return how many are still to be carried."""
        states = (*OPEN, DeliveryState.DISPATCHING)
        return sum(self.by_state.get(state, 0) for state in states)


def missing_variants(
    tx: Tx,
    *,
    edition_id: int,
    newsletter_id: int,
    corrects: int | None = None,
    now: datetime,
) -> list[tuple[str, str]]:
    """Find sections × format that present readers asked for and nobody rendered.

    Args:
        tx: A transaction.
        edition_id: The edition.
        newsletter_id: Whose readers.
        corrects: Only those who got this edition; None: all.
        now: The present.
    """
    query = (
        eligible(select(_s.sections, _s.format), newsletter_id, corrects, now)
        .outerjoin(tables.variants, _of_reader(edition_id))
        .where(_v.id.is_(None))
        .distinct()
        .order_by(_s.sections, _s.format)
    )
    return [(row.sections, row.format) for row in tx.execute(query)]


def plan(
    tx: Tx,
    *,
    edition_id: int,
    newsletter_id: int,
    time_zone: str,
    key_id: int,
    chunk_size: int,
    skip_bare: bool = False,
    corrects: int | None = None,
    now: datetime,
) -> int:
    """Insert every delivery of an edition with one statement, newest consent first.

    Args:
        tx: A writing transaction.
        edition_id: An edition whose variants cover its readers.
        newsletter_id: Whose readers.
        time_zone: In which dates of consent are local.
        key_id: The key that signs the tokens of these letters.
        chunk_size: Deliveries a worker claims at once.
        skip_bare: Whether readers none of whose sections has a story get no letter.
        corrects: Only those who got this edition; None: all.
        now: The present.

    Returns:
        How many.
    """
    opted_in = func.coalesce(_s.confirmed_at, _s.since)
    newest = (opted_in.desc(), _s.id.desc())
    place = func.row_number().over(order_by=newest) - 1
    readers = select(
        literal(edition_id),
        _s.subscriber_id,
        _s.id,
        _v.id,
        place // chunk_size,
        tables.subscribers.c.address,
        _local_date(tx, opted_in, time_zone),
        literal(key_id),
        *_beginning(skip_bare=skip_bare, now=now),
    )
    names = [
        *("edition_id", "subscriber_id", "subscription_id", "variant_id", "chunk"),
        *("address", "confirmed_on", "key_id", "state", "reason", "settled_at"),
    ]
    source = eligible(readers, newsletter_id, corrects, now).join(
        tables.variants, _of_reader(edition_id)
    )
    # Rows get their ids in this order, too, and a chunk is carried by id.
    source = source.order_by(*newest)
    inserted = tx.execute(
        insert(tables.deliveries).from_select(names, source),
        # An INSERT's count of rows is otherwise lost on PostgreSQL.
        execution_options={"preserve_rowcount": True},
    )
    chunks.plan(tx, edition_id, now=now)
    return inserted.rowcount


def _beginning(*, skip_bare: bool, now: datetime) -> list[ColumnElement[Any]]:
    """State, reason and end of a delivery that is planned."""
    skipped = and_(literal(skip_bare), _v.is_bare)
    state, reason = DeliveryState.SKIPPED.value, SkipReason.NO_STORIES.value
    return [
        case((skipped, state), else_=DeliveryState.QUEUED.value),
        case((skipped, reason), else_=null()),
        case((skipped, literal(now, UtcDateTime)), else_=null()),
    ]


def eligible(
    query: Select[Any], newsletter_id: int, corrects: int | None, now: datetime
) -> Select[Any]:
    """Let a query of subscriptions find only those whose readers get letters now.

    Args:
        query: What to select of them.
        newsletter_id: Whose readers.
        corrects: Only those who got this edition; None: all.
        now: The present.
    """
    everybody = (
        query.select_from(tables.subscriptions)
        .join(tables.subscribers)
        .where(
            _s.newsletter_id == newsletter_id,
            is_receiving(now),
            tables.subscribers.c.address.is_not(None),
            tables.subscribers.c.erased_at.is_(None),
            ~is_suppressed(),
        )
    )
    return everybody if corrects is None else everybody.where(has_got(corrects))


def _of_reader(edition_id: int) -> ColumnElement[bool]:
    return and_(
        _v.edition_id == edition_id,
        _v.sections == _s.sections,
        _v.format == _s.format,
    )


def _local_date(
    tx: Tx, at: ColumnElement[datetime], time_zone: str
) -> ColumnElement[Any]:
    if tx.dialect.name == "postgresql":
        return cast(func.timezone(time_zone, at), Date)
    zone = ZoneInfo(time_zone)

    def local_date(stored: str) -> str:
        utc = datetime.fromisoformat(stored).replace(tzinfo=UTC)
        return utc.astimezone(zone).date().isoformat()

    # SQLite knows no time zones, so it asks us.
    driver: Any = tx.connection.driver_connection
    driver.create_function("local_date", 1, local_date, deterministic=True)
    return func.local_date(at)


def counts(tx: Tx, edition_id: int, *, since: datetime) -> Counts:
    """Count an edition's deliveries by state, and those sent since an instant."""
    recent = case((_c.settled_at >= since, 1), else_=0)
    query = (
        select(_c.state, func.count().label("n"), func.sum(recent).label("recent"))
        .where(_c.edition_id == edition_id)
        .group_by(_c.state)
    )
    rows = tx.execute(query).all()
    return Counts(
        by_state={DeliveryState(row.state): row.n for row in rows},
        recent=sum(row.recent for row in rows if row.state == DeliveryState.SENT),
    )


def list_page(
    tx: Tx,
    edition_id: int,
    *,
    state: DeliveryState | None = None,
    after: int = 0,
    limit: int,
) -> Sequence[Listed]:
    """Load deliveries of an edition in order of their ids."""
    query = (
        select(
            *(_c.id, _c.address, _c.state, _c.attempts),
            *(_c.smtp_code, _c.smtp_text, _c.reason),
        )
        .where(_c.edition_id == edition_id, _c.id > after)
        .order_by(_c.id)
        .limit(limit)
    )
    if state is not None:
        query = query.where(_c.state == state)
    return [Listed(*row) for row in tx.execute(query)]


def cancel_open(tx: Tx, edition_id: int, *, now: datetime) -> int:
    """Skip every delivery that is not yet handed over.

    Of one that was to be sent again, as its answer was lost, nobody can say so: it
    becomes `uncertain`.

    Returns:
        How many were skipped.
    """
    is_open = and_(_c.edition_id == edition_id, _c.state.in_(OPEN))
    tx.execute(
        update(tables.deliveries)
        .where(is_open, attempts.is_in_doubt(LetterKind.DELIVERY))
        .values(state=DeliveryState.UNCERTAIN, next_attempt_at=None)
    )
    changed = tx.execute(
        update(tables.deliveries)
        .where(is_open)
        .values(
            state=DeliveryState.SKIPPED,
            reason=SkipReason.CANCELLED,
            next_attempt_at=None,
            settled_at=now,
        )
    )
    return changed.rowcount


def settle_uncertain(
    tx: Tx, edition_id: int, *, to: DeliveryState, now: datetime
) -> int:
    """Decide about the letters in doubt.

    Args:
        tx: A writing transaction.
        edition_id: Whose letters.
        to: `sent`: take them as sent; `queued`: send them again, same bytes.
        now: When.

    Returns:
        How many.
    """
    settled = now if to == DeliveryState.SENT else None
    rows = tx.execute(
        update(tables.deliveries)
        .where(_c.edition_id == edition_id, _c.state == DeliveryState.UNCERTAIN)
        .values(state=to, settled_at=settled)
        .returning(_c.chunk)
    ).all()
    if to == DeliveryState.QUEUED:
        chunks.wake(tx, edition_id, sorted({row.chunk for row in rows}), now=now)
    return len(rows)


def count_open(tx: Tx) -> int:
    """Count what is still to be carried of all editions that are carried."""
    e = tables.editions.c
    query = (
        select(func.count())
        .select_from(tables.deliveries)
        .join(tables.editions)
        .where(e.state.in_(CARRIED), _c.state.in_((*OPEN, DeliveryState.DISPATCHING)))
    )
    return int(tx.execute(query).scalar_one())
