"""Counts and pages of readers, and one reader's history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, func, or_, select

from digest.domain.states import DeliveryState, SubscriptionState
from digest.storage import tables
from digest.storage.engine import Tx

_people, _held = tables.subscribers.c, tables.subscriptions.c


@dataclass(frozen=True, kw_only=True)
class Brief:
    """One line of a list on the screen.

    Attributes:
        id: The reader's.
        address: As written to.
        name: May be empty.
        state: Of the subscription.
        since: When it began.
    """

    id: int
    address: str
    name: str
    state: SubscriptionState
    since: datetime


@dataclass(frozen=True, kw_only=True)
class Event:
    """One audited change.

    Attributes:
        at: When.
        action: `subscription.confirmed`, …
        actor: Who.
        detail: What else was noted.
    """

    at: datetime
    action: str
    actor: str
    detail: dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One edition's letter to a reader.

    Attributes:
        newsletter_id: Whose edition.
        issue_date: Which.
        state: What became of the letter.
        at: When that was settled; None while it is open.
    """

    newsletter_id: int
    issue_date: date
    state: DeliveryState
    at: datetime | None


def count_readers(tx: Tx) -> tuple[int, int]:
    """Count the readers known and the erased ones."""
    known, every = tx.execute(
        select(func.count(_people.address), func.count(_people.id))
    ).one()
    return int(known), int(every - known)


def count_subscriptions(tx: Tx) -> dict[tuple[int, str], int]:
    """Count subscriptions by newsletter id and state."""
    rows = tx.execute(
        select(_held.newsletter_id, _held.state, func.count()).group_by(
            _held.newsletter_id, _held.state
        )
    ).all()
    return {(int(row[0]), str(row[1])): int(row[2]) for row in rows}


def count_suppressions(tx: Tx) -> dict[str, int]:
    """Count suppressed addresses by reason."""
    reason = tables.suppressions.c.reason
    rows = tx.execute(select(reason, func.count()).group_by(reason)).all()
    return {str(row[0]): int(row[1]) for row in rows}


def count_domains(tx: Tx, *, limit: int) -> list[tuple[str, int]]:
    """Count readers by the domain of their address, the largest first."""
    rows = tx.execute(
        select(_people.domain, func.count())
        .where(_people.domain.is_not(None))
        .group_by(_people.domain)
        .order_by(func.count().desc(), _people.domain)
        .limit(limit)
    ).all()
    return [(str(row[0]), int(row[1])) for row in rows]


def list_page(
    tx: Tx,
    *,
    newsletter_id: int,
    state: SubscriptionState | None,
    after: int,
    limit: int,
) -> Sequence[Brief]:
    """Load readers of a newsletter in order of row ids.

    Args:
        tx: A transaction.
        newsletter_id: Whose readers.
        state: Only these; None: all.
        after: Row id of the last reader of the page before; 0: from the start.
        limit: At most so many.
    """
    wanted = [_held.state == state] if state is not None else []
    rows = tx.execute(
        select(_people.id, _people.address, _people.name, _held.state, _held.since)
        .join(tables.subscriptions, _held.subscriber_id == _people.id)
        .where(
            _held.newsletter_id == newsletter_id,
            _people.address.is_not(None),
            _people.id > after,
            *wanted,
        )
        .order_by(_people.id)
        .limit(limit)
    ).all()
    return [
        Brief(
            id=row.id,
            address=row.address,
            name=row.name,
            state=SubscriptionState(row.state),
            since=row.since,
        )
        for row in rows
    ]


def letters(tx: Tx, subscriber_id: int) -> Sequence[Sent]:
    """Load the editions that were meant for a reader, oldest first."""
    d, e = tables.deliveries.c, tables.editions.c
    rows = tx.execute(
        select(e.newsletter_id, e.issue_date, d.state, d.settled_at)
        .join(tables.editions, e.id == d.edition_id)
        .where(d.subscriber_id == subscriber_id)
        .order_by(d.id)
    ).all()
    return [
        Sent(
            newsletter_id=row.newsletter_id,
            issue_date=row.issue_date,
            state=DeliveryState(row.state),
            at=row.settled_at,
        )
        for row in rows
    ]


def history(tx: Tx, subscriber_id: int) -> Sequence[Event]:
    """Load what was audited of a reader and their subscriptions, oldest first."""
    c = tables.audit.c
    theirs = select(_held.id).where(_held.subscriber_id == subscriber_id)
    rows = tx.execute(
        select(c.at, c.action, c.actor, c.detail)
        .where(
            or_(
                and_(c.subject_kind == "subscriber", c.subject_id == subscriber_id),
                and_(c.subject_kind == "subscription", c.subject_id.in_(theirs)),
            )
        )
        .order_by(c.at, c.id)
    ).all()
    return [
        Event(at=row.at, action=row.action, actor=row.actor, detail=row.detail)
        for row in rows
    ]
