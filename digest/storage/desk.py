"""The desk by mail: who may settle an edition, what was mailed, what is held."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select, update

from digest.domain.editions import Edition
from digest.domain.errors import StateError
from digest.domain.reviews import REMINDERS, DeskMail, Review
from digest.domain.states import DeliveryState, EditionState, SubscriptionState
from digest.storage import editions, tables
from digest.storage.engine import Tx
from digest.storage.insertion import insert_once

_c = tables.reviews.c


def put_hold(
    tx: Tx, edition: Edition, *, by: str, because: str, now: datetime
) -> Edition:
    """Keep a draft from being approved by anything but a person.

    Raises:
        StateError: Somebody else changed it meanwhile.
    """
    c = tables.editions.c
    changed = tx.execute(
        update(tables.editions)
        .where(c.id == edition.id, c.state == EditionState.DRAFT)
        .values(held_at=now, held_by=by, held_because=because, updated_at=now)
    )
    if changed.rowcount != 1:
        raise StateError(
            f"Edition {edition.id} was changed by somebody else meanwhile.",
            f"Look again: digest editions show {edition.id}",
        )
    return editions.get(tx, edition.id)


def open_review(
    tx: Tx, *, edition_id: int, address: str, now: datetime, until: datetime
) -> Review:
    """Let one address settle an edition for a time, a longer one if it may already.

    Links that were made before and still act go on doing so; dead ones stay dead.
    """
    values = {"edition_id": edition_id, "address": address}
    fresh = {"valid_from": now, "valid_until": until}
    this = (_c.edition_id == edition_id, _c.address == address)
    if not insert_once(tx, tables.reviews, values | fresh):
        tx.execute(
            update(tables.reviews).where(*this, _c.valid_until < now).values(**fresh)
        )
        tx.execute(
            update(tables.reviews)
            .where(*this, _c.valid_until < until)
            .values(valid_until=until)
        )
    return _load(tx.execute(select(tables.reviews).where(*this)).one())


def find_review(tx: Tx, review_id: int) -> Review | None:
    """Load one by its row id."""
    row = tx.execute(select(tables.reviews).where(_c.id == review_id)).one_or_none()
    return _load(row) if row else None


def mark_mailed(tx: Tx, edition_id: int, what: DeskMail, *, now: datetime) -> bool:
    """Remember that the desk was mailed something.

    Returns:
        Whether it was not before: only then it is to be mailed.
    """
    values = {"edition_id": edition_id, "what": what, "at": now}
    return insert_once(tx, tables.desk_mail, values)


def forget_reminders(tx: Tx, edition_id: int) -> None:
    """Let the desk be reminded anew: the hour is another one."""
    c = tables.desk_mail.c
    tx.execute(
        delete(tables.desk_mail).where(
            c.edition_id == edition_id, c.what.in_(REMINDERS)
        )
    )


def mailed(tx: Tx, edition_id: int) -> dict[DeskMail, datetime]:
    """Return what the desk was mailed about an edition, and when."""
    c = tables.desk_mail.c
    rows = tx.execute(select(c.what, c.at).where(c.edition_id == edition_id))
    return {DeskMail(row.what): row.at for row in rows}


def last_change(tx: Tx, edition_id: int) -> tuple[str, datetime] | None:
    """Return who changed an edition's words or stories last, and when."""
    c = tables.audit.c
    row = tx.execute(
        select(c.actor, c.at)
        .where(
            c.subject_kind == "edition",
            c.subject_id == edition_id,
            c.action.in_(("edition.composed", "edition.edited", "edition.pictures")),
        )
        .order_by(c.id.desc())
        .limit(1)
    ).one_or_none()
    return (row.actor, row.at) if row else None


def finished_since(tx: Tx, newsletter_id: int, since: datetime) -> list[Edition]:
    """Load the editions whose letters were all settled since an instant."""
    c = tables.editions.c
    ids = tx.execute(
        select(c.id)
        .where(
            c.newsletter_id == newsletter_id,
            c.state == EditionState.SENT,
            c.finished_at >= since,
        )
        .order_by(c.id)
    ).scalars()
    return [editions.get(tx, edition_id) for edition_id in ids.all()]


def count_left(tx: Tx, edition: Edition) -> int:
    """Count the readers of an edition who have left its newsletter since."""
    d, s = tables.deliveries.c, tables.subscriptions.c
    query = (
        select(func.count())
        .select_from(tables.subscriptions)
        .join(tables.deliveries, d.subscription_id == s.id)
        .where(
            d.edition_id == edition.id,
            s.newsletter_id == edition.newsletter_id,
            s.state == SubscriptionState.UNSUBSCRIBED,
            s.since >= edition.released_at,
        )
    )
    return int(tx.execute(query).scalar_one())


def count_suppressed(tx: Tx, edition: Edition) -> dict[str, int]:
    """Count the readers of an edition who were suppressed since, by reason."""
    p, d, s = tables.subscribers.c, tables.deliveries.c, tables.suppressions.c
    query = (
        select(s.reason, func.count())
        .select_from(tables.suppressions)
        .join(tables.subscribers, p.address_hash == s.address_hash)
        .join(tables.deliveries, d.subscriber_id == p.id)
        .where(d.edition_id == edition.id, s.at >= edition.released_at)
        .group_by(s.reason)
    )
    return {str(row[0]): int(row[1]) for row in tx.execute(query)}


def failures(tx: Tx, edition_id: int, *, limit: int) -> list[tuple[str, int]]:
    """Count an edition's failed letters by the answer to them, the most first.

    An answer is told by its codes: its words often quote the recipient.
    """
    d = tables.deliveries.c
    number = func.count()
    rows = tx.execute(
        select(d.smtp_code, number)
        .where(d.edition_id == edition_id, d.state == DeliveryState.FAILED)
        .group_by(d.smtp_code)
        .order_by(number.desc(), d.smtp_code)
        .limit(limit)
    )
    return [(f"SMTP {row[0]}" if row[0] else "no answer", int(row[1])) for row in rows]


def _load(row: Row[Any]) -> Review:
    return Review(
        id=row.id,
        edition_id=row.edition_id,
        address=row.address,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
    )
