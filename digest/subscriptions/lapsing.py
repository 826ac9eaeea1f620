"""Forget addresses that were typed into a form and never confirmed (attack A6)."""

from datetime import datetime

from digest.domain.actor import Actor
from digest.domain.states import SubscriptionState
from digest.storage import audit, consents, subscribers, subscriptions
from digest.storage.engine import Database, Tx
from digest.storage.subscriber_erase import forget
from digest.subscriptions.erase import find_mail


def lapse(
    db: Database, *, before: datetime, actor: Actor, now: datetime, limit: int = 200
) -> int:
    """End what waits for a confirmation that was last asked for before an instant.

    A reader who never agreed to anything is forgotten: what stays is that somebody
    asked, without the address. Nobody is suppressed by it, so they may sign up anew.

    Args:
        db: The database.
        before: Earlier requests have lapsed.
        actor: Who asks for it.
        now: When.
        limit: At most so many; each is a transaction of its own, so that others get
            their turn at the database.

    Returns:
        How many subscriptions ended.
    """
    with db.read() as tx:
        found = subscriptions.unanswered(tx, before=before, limit=limit)
    return sum(_lapse(db, each, before, actor, now) for each in found)


def _lapse(
    db: Database, subscription_id: int, before: datetime, actor: Actor, now: datetime
) -> bool:
    with db.read() as tx:
        held = subscriptions.get(tx, subscription_id)
    assert held is not None, "subscriptions are never deleted"
    named = find_mail(db, held.subscriber_id)
    with db.write() as tx:
        reader = subscribers.lock(tx, held.subscriber_id)
        # Meanwhile it may have been confirmed, or asked for anew.
        if not subscriptions.is_unanswered(tx, subscription_id, before=before):
            return False
        held = subscriptions.unsubscribe(tx, held, now=now)
        audit.record(
            tx,
            actor=actor,
            action="subscription.lapsed",
            subject=("subscription", held.id),
            now=now,
        )
        assert reader is not None
        if reader.address is not None and _is_nobodys(tx, reader.id):
            forget(
                tx,
                subscriber_id=reader.id,
                address=reader.address,
                named=named,
                now=now,
            )
            audit.record(
                tx,
                actor=actor,
                action="subscriber.forgotten",
                subject=("subscriber", reader.id),
                now=now,
            )
        return True


def _is_nobodys(tx: Tx, subscriber_id: int) -> bool:
    """Whether a reader never agreed to anything, and waits for nothing else."""
    if consents.has_agreed(tx, subscriber_id):
        return False
    # Who said "never write to me" is remembered.
    if consents.has_declined(tx, subscriber_id):
        return False
    others = subscriptions.for_subscriber(tx, subscriber_id)
    return all(each.state is SubscriptionState.UNSUBSCRIBED for each in others)
