"""Consent evidence: append-only."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, insert, select

from digest.domain.actor import Actor
from digest.domain.subscribers import Consent, ConsentAction, Origin, Subscription
from digest.storage import tables
from digest.storage.engine import Tx

_c = tables.consents.c
_GIVEN = (ConsentAction.CONFIRMED, ConsentAction.IMPORTED, ConsentAction.RECORDED)


def append(
    tx: Tx,
    *,
    subscriber_id: int,
    newsletter_id: int | None,
    action: ConsentAction,
    origin: Origin,
    actor: Actor,
    now: datetime,
) -> None:
    """Write one row of evidence; nothing ever changes or deletes it."""
    tx.execute(
        insert(tables.consents).values(
            subscriber_id=subscriber_id,
            newsletter_id=newsletter_id,
            at=now,
            action=action,
            source=origin.source,
            wording=origin.wording,
            network=origin.network,
            actor=str(actor),
        )
    )


def append_withdrawn(
    tx: Tx,
    rows: Sequence[tuple[Subscription, Origin]],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Write evidence that many readers left, in one statement."""
    tx.execute(
        insert(tables.consents),
        [
            {
                "subscriber_id": held.subscriber_id,
                "newsletter_id": held.newsletter_id,
                "at": now,
                "action": ConsentAction.WITHDRAWN,
                "source": origin.source,
                "wording": origin.wording,
                "network": origin.network,
                "actor": str(actor),
            }
            for held, origin in rows
        ],
    )


def for_subscriber(tx: Tx, subscriber_id: int) -> Sequence[Consent]:
    """Load one reader's evidence, oldest first."""
    rows = tx.execute(
        select(tables.consents)
        .where(_c.subscriber_id == subscriber_id)
        .order_by(_c.at, _c.id)
    ).all()
    return [
        Consent(
            at=row.at,
            newsletter_id=row.newsletter_id,
            action=ConsentAction(row.action),
            origin=Origin(source=row.source, network=row.network, wording=row.wording),
            actor=row.actor,
        )
        for row in rows
    ]


def has_agreed(tx: Tx, subscriber_id: int) -> bool:
    """Tell whether a reader ever opted in to anything."""
    query = select(_c.id).where(
        _c.subscriber_id == subscriber_id, _c.action.in_(_GIVEN)
    )
    return tx.execute(query.limit(1)).first() is not None


def has_declined(tx: Tx, subscriber_id: int) -> bool:
    """Tell whether a reader said "not me" since they last opted in to anything."""
    opted_in = (
        select(func.coalesce(func.max(_c.id), 0))
        .where(_c.subscriber_id == subscriber_id, _c.action.in_(_GIVEN))
        .scalar_subquery()
    )
    declined = select(_c.id).where(
        _c.subscriber_id == subscriber_id,
        _c.action == ConsentAction.DECLINED,
        _c.id > opted_in,
    )
    return tx.execute(declined.limit(1)).first() is not None


def unanswered_requests(
    tx: Tx, subscriber_id: int, *, since: datetime
) -> tuple[int, datetime | None]:
    """Count the confirmations mailed to a reader after they last opted in.

    Args:
        tx: A transaction.
        subscriber_id: The reader.
        since: Earlier ones do not count.

    Returns:
        How many, and when the last one was asked for (None: never).
    """
    opted_in = (
        select(func.coalesce(func.max(_c.id), 0))
        .where(_c.subscriber_id == subscriber_id, _c.action.in_(_GIVEN))
        .scalar_subquery()
    )
    row = tx.execute(
        select(func.count(_c.id), func.max(_c.at)).where(
            _c.subscriber_id == subscriber_id,
            _c.action == ConsentAction.REQUESTED,
            _c.id > opted_in,
            _c.at > since,
        )
    ).one()
    return int(row[0]), row[1]
