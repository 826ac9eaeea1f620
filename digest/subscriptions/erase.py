"""Erase a reader (GDPR Art. 17), and remember by a keyed hash not to write again."""

from collections.abc import Sequence
from datetime import datetime

from digest.domain.actor import Actor
from digest.domain.errors import NotFoundError
from digest.domain.secrets import Secrets
from digest.domain.states import SubscriptionState, SuppressionReason
from digest.domain.subscribers import ConsentAction, Origin
from digest.storage import (
    audit,
    consents,
    inbox,
    subscribers,
    subscriptions,
    suppressions,
)
from digest.storage.engine import Database, Tx
from digest.storage.subscriber_erase import forget


def erase(
    db: Database,
    *,
    subscriber_id: int,
    secrets: Secrets,
    actor: Actor,
    now: datetime,
) -> bool:
    """Take a reader's address and name out of the database.

    Subscriptions end; consents stay as evidence; the suppression list keeps a keyed
    hash, so that no import brings the reader back.

    Args:
        db: The database.
        subscriber_id: The reader.
        secrets: For the hash.
        actor: Who asked.
        now: When.

    Returns:
        Whether there was something to erase; False for a reader already erased.

    Raises:
        NotFoundError: There is no such reader.
    """
    named = find_mail(db, subscriber_id)
    with db.write() as tx:
        reader = subscribers.lock(tx, subscriber_id)
        if reader is None:
            raise NotFoundError("There is no such reader.")
        if reader.address is None:
            return False
        _end_subscriptions(tx, subscriber_id, actor, now)
        forget(
            tx,
            subscriber_id=subscriber_id,
            address=reader.address,
            named=named,
            now=now,
        )
        suppressions.add(
            tx,
            address_hash=secrets.hash_address(reader.address.lower()),
            address=None,
            reason=SuppressionReason.REQUEST,
            detail="erased",
            now=now,
        )
        audit.record(
            tx,
            actor=actor,
            action="subscriber.erased",
            subject=("subscriber", subscriber_id),
            now=now,
        )
    return True


def find_mail(db: Database, subscriber_id: int) -> Sequence[int]:
    """List messages that name a reader, while others write."""
    with db.read() as tx:
        reader = subscribers.get(tx, subscriber_id)
        if reader is None or reader.address is None:
            return ()
        return inbox.find_naming(tx, reader.address)


def _end_subscriptions(tx: Tx, subscriber_id: int, actor: Actor, now: datetime) -> None:
    for held in subscriptions.for_subscriber(tx, subscriber_id):
        if held.state is SubscriptionState.UNSUBSCRIBED:
            continue
        subscriptions.unsubscribe(tx, held, now=now)
        consents.append(
            tx,
            subscriber_id=subscriber_id,
            newsletter_id=held.newsletter_id,
            action=ConsentAction.WITHDRAWN,
            origin=Origin(source="erasure"),
            actor=actor,
            now=now,
        )
