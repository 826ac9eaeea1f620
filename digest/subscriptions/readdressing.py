"""What a change of address does to a reader's rows."""

from datetime import datetime

from digest.domain.actor import Actor
from digest.domain.addresses import EmailAddress
from digest.domain.states import SubscriptionState, SuppressionReason
from digest.domain.subscribers import ConsentAction, Subscriber, Subscription
from digest.storage import audit, subscribers, subscriptions, suppressions
from digest.storage.engine import Tx
from digest.subscriptions.evidence import Deed

GETS = {SubscriptionState.ACTIVE, SubscriptionState.PAUSED}


def readdress(
    tx: Tx, reader: Subscriber, address: EmailAddress, hashed: str, deed: Deed
) -> None:
    """Let a reader's letters go to an address whose holder agreed.

    Args:
        tx: A write transaction.
        reader: As they are, locked.
        address: The new address.
        hashed: Its keyed hash.
        deed: Who agreed, where and when.
    """
    if subscribers.rename(tx, reader.id, address, address_hash=hashed):
        _keep(tx, reader, deed)
    else:
        other = subscribers.find(tx, address.key)
        assert other is not None, "somebody has that address"
        _join(tx, reader, other, deed)
    _lift_request(tx, reader, hashed, deed)


def _keep(tx: Tx, reader: Subscriber, deed: Deed) -> None:
    """Write the new holder's consent beside the reader's history."""
    for held in subscriptions.for_subscriber(tx, reader.id):
        if held.state in GETS:
            deed.consent(tx, held, ConsentAction.CONFIRMED)
    # A list that still names the old address brings nobody back there.
    suppressions.add(
        tx,
        address_hash=reader.address_hash,
        address=None,
        reason=SuppressionReason.REQUEST,
        detail="moved",
        now=deed.now,
    )
    note(tx, reader, "moved", deed.actor, deed.now)


def _join(tx: Tx, reader: Subscriber, other: Subscriber, deed: Deed) -> None:
    subscribers.lock(tx, other.id)
    for held in subscriptions.for_subscriber(tx, reader.id):
        if held.state not in GETS:
            continue
        _take_over(tx, held, other, deed)
        subscriptions.unsubscribe(tx, held, now=deed.now)
        deed.consent(tx, held, ConsentAction.WITHDRAWN)
        deed.audit(tx, held, "left", before=held.state)
    note(tx, reader, "moved", deed.actor, deed.now, to=other.id)


def _take_over(tx: Tx, held: Subscription, other: Subscriber, deed: Deed) -> None:
    theirs = subscriptions.add(
        tx, subscriber_id=other.id, newsletter_id=held.newsletter_id, now=deed.now
    )
    if theirs.state in GETS:
        return
    theirs = subscriptions.choose(
        tx, theirs, sections=held.sections, letter_format=held.format
    )
    active = subscriptions.activate(
        tx, theirs, now=deed.now, confirmed_at=held.confirmed_at or deed.now
    )
    if held.paused_until is not None and held.paused_until > deed.now:
        subscriptions.pause(tx, active, until=held.paused_until, now=deed.now)
    deed.consent(tx, active, ConsentAction.CONFIRMED)
    deed.audit(tx, active, "confirmed", before=theirs.state)


def _lift_request(tx: Tx, reader: Subscriber, hashed: str, deed: Deed) -> None:
    """Lift the new address's own wish for silence: its holder just opted in."""
    if suppressions.remove(tx, hashed):
        note(tx, reader, "unsuppressed", deed.actor, deed.now)


def note(
    tx: Tx,
    reader: Subscriber,
    what: str,
    actor: Actor,
    now: datetime,
    **detail: object,
) -> None:
    """Write an audit row about a reader."""
    audit.record(
        tx,
        actor=actor,
        action=f"subscriber.{what}",
        subject=("subscriber", reader.id),
        now=now,
        detail=detail,
    )
