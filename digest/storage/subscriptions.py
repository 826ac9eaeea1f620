"""Subscriptions: one function per transition, each a conditional UPDATE."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, select, update

from digest.domain.errors import StateError
from digest.domain.states import SubscriptionState
from digest.domain.subscribers import (
    LetterFormat,
    Subscription,
    check_subscription_move,
)
from digest.storage import tables
from digest.storage.engine import Tx
from digest.storage.insertion import insert_once

_c = tables.subscriptions.c


def get(tx: Tx, subscription_id: int) -> Subscription | None:
    """Load one subscription by row id."""
    row = tx.execute(
        select(tables.subscriptions).where(_c.id == subscription_id)
    ).one_or_none()
    return None if row is None else _load(row)


def find(tx: Tx, *, subscriber_id: int, newsletter_id: int) -> Subscription | None:
    """Load a reader's subscription to one newsletter."""
    row = tx.execute(
        select(tables.subscriptions).where(
            _c.subscriber_id == subscriber_id, _c.newsletter_id == newsletter_id
        )
    ).one_or_none()
    return None if row is None else _load(row)


def for_subscriber(tx: Tx, subscriber_id: int) -> Sequence[Subscription]:
    """Load everything one reader subscribed to, oldest first."""
    rows = tx.execute(
        select(tables.subscriptions)
        .where(_c.subscriber_id == subscriber_id)
        .order_by(_c.id)
    ).all()
    return [_load(row) for row in rows]


def due_to_resume(tx: Tx, *, now: datetime, limit: int = 500) -> Sequence[Subscription]:
    """Load paused subscriptions whose pause is over."""
    rows = tx.execute(
        select(tables.subscriptions)
        .where(_c.state == SubscriptionState.PAUSED, _c.paused_until <= now)
        .order_by(_c.id)
        .limit(limit)
    ).all()
    return [_load(row) for row in rows]


def unanswered(tx: Tx, *, before: datetime, limit: int) -> Sequence[int]:
    """List subscriptions that wait for a confirmation last asked for before then.

    Returns:
        Row ids, the oldest first.
    """
    query = select(_c.id).where(_is_unanswered(before)).order_by(_c.id).limit(limit)
    return tx.execute(query).scalars().all()


def is_unanswered(tx: Tx, subscription_id: int, *, before: datetime) -> bool:
    """Tell whether `unanswered` would list a subscription."""
    query = select(_c.id).where(_c.id == subscription_id, _is_unanswered(before))
    return tx.execute(query).first() is not None


def _is_unanswered(before: datetime) -> ColumnElement[bool]:
    asked = tables.consents.c
    recently = exists().where(
        asked.subscriber_id == _c.subscriber_id,
        asked.newsletter_id == _c.newsletter_id,
        asked.at >= before,
    )
    return and_(_c.state == SubscriptionState.PENDING, _c.since < before, ~recently)


def add(
    tx: Tx,
    *,
    subscriber_id: int,
    newsletter_id: int,
    sections: tuple[str, ...] = (),
    letter_format: LetterFormat = LetterFormat.HTML,
    now: datetime,
) -> Subscription:
    """Store a pending subscription, or return the one that is there already."""
    insert_once(
        tx,
        tables.subscriptions,
        {
            "subscriber_id": subscriber_id,
            "newsletter_id": newsletter_id,
            "state": SubscriptionState.PENDING,
            "sections": ",".join(sections),
            "format": letter_format,
            "since": now,
        },
    )
    found = find(tx, subscriber_id=subscriber_id, newsletter_id=newsletter_id)
    assert found is not None
    return found


def await_confirmation(
    tx: Tx, subscription: Subscription, *, now: datetime
) -> Subscription:
    """Move to pending: somebody asked again after leaving."""
    return _move(
        tx,
        subscription,
        SubscriptionState.PENDING,
        now=now,
        paused_until=None,
        confirmed_at=None,
    )


def activate(
    tx: Tx,
    subscription: Subscription,
    *,
    now: datetime,
    confirmed_at: datetime | None = None,
) -> Subscription:
    """Move to active.

    Args:
        tx: A write transaction.
        subscription: As it was read in this transaction.
        now: When.
        confirmed_at: When the reader opted in; None keeps the earlier time (the
            end of a pause is no new opt-in).
    """
    kept = subscription.confirmed_at
    return _move(
        tx,
        subscription,
        SubscriptionState.ACTIVE,
        now=now,
        paused_until=None,
        confirmed_at=kept if confirmed_at is None else confirmed_at,
    )


def pause(
    tx: Tx, subscription: Subscription, *, until: datetime, now: datetime
) -> Subscription:
    """Move to paused until an instant."""
    return _move(
        tx, subscription, SubscriptionState.PAUSED, now=now, paused_until=until
    )


def unsubscribe(tx: Tx, subscription: Subscription, *, now: datetime) -> Subscription:
    """Move to unsubscribed.

    The times of the opt-in and of a pause stay, so that `restore` can go back.
    """
    return _move(tx, subscription, SubscriptionState.UNSUBSCRIBED, now=now)


def unsubscribe_all(
    tx: Tx, ids: Collection[int], *, now: datetime
) -> Sequence[Subscription]:
    """Move many to unsubscribed at once.

    Those that are there already stay as they are, and so do erased readers'.

    Returns:
        Those that were moved, as they were before.
    """
    whose = select(_c.subscriber_id).where(_c.id.in_(ids))
    reader = tables.subscribers.c
    # In one order, so that two transactions that lock many never wait crosswise.
    readers = tx.execute(
        select(reader.id)
        .where(reader.id.in_(whose), reader.erased_at.is_(None))
        .order_by(reader.id)
        .with_for_update()
    ).scalars()
    # Only now, since whoever held a lock may have moved them.
    rows = tx.execute(
        select(tables.subscriptions).where(
            _c.id.in_(ids),
            _c.subscriber_id.in_(readers.all()),
            _c.state != SubscriptionState.UNSUBSCRIBED,
        )
    ).all()
    held = [_load(row) for row in rows]
    for each in held:
        check_subscription_move(each.state, SubscriptionState.UNSUBSCRIBED)
    tx.execute(
        update(tables.subscriptions)
        .where(_c.id.in_([each.id for each in held]))
        .values(state=SubscriptionState.UNSUBSCRIBED, since=now)
    )
    return held


def restore(tx: Tx, subscription: Subscription, *, now: datetime) -> Subscription:
    """Undo leaving: back to active, paused or pending, as the row's times tell."""
    if subscription.confirmed_at is None:
        return _move(tx, subscription, SubscriptionState.PENDING, now=now)
    until = subscription.paused_until
    active = activate(tx, subscription, now=now)
    if until is None or until <= now:
        return active
    return pause(tx, active, until=until, now=now)


def choose(
    tx: Tx,
    subscription: Subscription,
    *,
    sections: tuple[str, ...],
    letter_format: LetterFormat,
) -> Subscription:
    """Change what the reader gets, not whether.

    Args:
        tx: A write transaction.
        subscription: Whose choice it is.
        sections: As `domain.subscribers.pick_sections` gives them.
        letter_format: HTML or text.
    """
    tx.execute(
        update(tables.subscriptions)
        .where(_c.id == subscription.id)
        .values(sections=",".join(sections), format=letter_format)
    )
    return _reload(tx, subscription.id)


def _move(
    tx: Tx,
    subscription: Subscription,
    after: SubscriptionState,
    *,
    now: datetime,
    **values: Any,
) -> Subscription:
    check_subscription_move(subscription.state, after)
    moved = tx.execute(
        update(tables.subscriptions)
        .where(_c.id == subscription.id, _c.state == subscription.state)
        .values(state=after, since=now, **values)
    )
    if moved.rowcount != 1:
        raise StateError(
            "The subscription was changed by somebody else meanwhile.", "Try again."
        )
    return _reload(tx, subscription.id)


def _reload(tx: Tx, subscription_id: int) -> Subscription:
    found = get(tx, subscription_id)
    assert found is not None
    return found


def _load(row: Row[tuple[object, ...]]) -> Subscription:
    return Subscription(
        id=row.id,
        subscriber_id=row.subscriber_id,
        newsletter_id=row.newsletter_id,
        state=SubscriptionState(row.state),
        sections=tuple(row.sections.split(",")) if row.sections else (),
        format=LetterFormat(row.format),
        since=row.since,
        confirmed_at=row.confirmed_at,
        paused_until=row.paused_until,
    )
