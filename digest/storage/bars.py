"""Why a letter may not be sent: its reader left, paused, was suppressed or erased."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, null, or_, select

from digest.domain.deliveries import LetterKind
from digest.domain.states import SkipReason, SubscriptionState, SuppressionReason
from digest.storage import tables
from digest.storage.engine import Tx


def barred(
    tx: Tx, kind: LetterKind, letters: Sequence[int], *, now: datetime
) -> Mapping[int, SkipReason]:
    """Say which letters may not be sent, and why."""
    if kind == LetterKind.DELIVERY:
        c = tables.deliveries.c
        query = join_readers(select(c.id, bar_of_delivery(now).label("bar")))
    else:
        c = tables.notices.c
        query = select(c.id, bar_of_notice().label("bar"))
        query = query.outerjoin(tables.subscribers)
    rows = tx.execute(query.where(c.id.in_(letters)))
    return {row.id: SkipReason(row.bar) for row in rows if row.bar is not None}


def is_free(kind: LetterKind, now: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whether nothing bars the delivery or notice that a statement is about."""
    s, b = tables.subscriptions.c, tables.subscribers.c
    if kind == LetterKind.DELIVERY:
        d = tables.deliveries.c
        return and_(
            s.id == d.subscription_id,
            b.id == d.subscriber_id,
            bar_of_delivery(now).is_(None),
        )
    n = tables.notices.c
    silenced = exists().where(b.id == n.subscriber_id, is_suppressed(notice=True))
    return and_(n.address.is_not(None), ~silenced)


def join_readers(query: Select[Any]) -> Select[Any]:
    """Join what can bar a delivery: its subscription and its subscriber."""
    d, s = tables.deliveries.c, tables.subscriptions.c
    return query.join(tables.subscriptions, s.id == d.subscription_id).join(
        tables.subscribers, tables.subscribers.c.id == d.subscriber_id
    )


def is_suppressed(*, notice: bool = False) -> ColumnElement[bool]:
    """Whether the joined subscriber's address is on the suppression list.

    Args:
        notice: Let an address pass whose holder asked for silence: only by the
            confirmation letter can they come back.
    """
    c = tables.suppressions.c
    query = exists().where(c.address_hash == tables.subscribers.c.address_hash)
    if notice:
        query = query.where(c.reason != SuppressionReason.REQUEST)
    return query


def is_receiving(now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whether the joined subscription receives editions: also after its pause."""
    c = tables.subscriptions.c
    return or_(
        c.state == SubscriptionState.ACTIVE,
        and_(c.state == SubscriptionState.PAUSED, c.paused_until <= now),
    )


def bar_of_delivery(
    now: datetime | ColumnElement[datetime],
) -> ColumnElement[str | None]:
    """Why a joined delivery may not be sent; null: it may."""
    state = tables.subscriptions.c.state
    return case(
        (tables.deliveries.c.address.is_(None), SkipReason.ERASED.value),
        (tables.subscribers.c.erased_at.is_not(None), SkipReason.ERASED.value),
        (is_suppressed(), SkipReason.SUPPRESSED.value),
        (is_receiving(now), null()),
        (state == SubscriptionState.PAUSED, SkipReason.PAUSED.value),
        else_=SkipReason.UNSUBSCRIBED.value,
    )


def bar_of_notice() -> ColumnElement[str | None]:
    """Why a notice, outer-joined to its subscriber, may not be sent."""
    return case(
        (tables.notices.c.address.is_(None), SkipReason.ERASED.value),
        (is_suppressed(notice=True), SkipReason.SUPPRESSED.value),
        else_=null(),
    )
