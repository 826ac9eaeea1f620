"""Not me, never write: the holder of an address refuses what somebody asked for."""

from datetime import datetime

from digest.domain.actor import Actor
from digest.domain.secrets import Secrets
from digest.domain.states import SubscriptionState, SuppressionReason
from digest.domain.subscribers import NEVER, ConsentAction, Origin, Subscription
from digest.storage import audit, subscribers, subscriptions, suppressions
from digest.storage.engine import Database, Tx
from digest.subscriptions import opt_in
from digest.subscriptions.evidence import Deed
from digest.subscriptions.opt_in import Confirmation, Found, OptIn

_PENDING, _LEFT = SubscriptionState.PENDING, SubscriptionState.UNSUBSCRIBED


def decline(
    db: Database,
    *,
    token: str,
    origin: Origin,
    secrets: Secrets,
    actor: Actor,
    now: datetime,
) -> Confirmation:
    """Refuse with a confirmation link, and bar the address from being asked again.

    Nobody who types the address into a form gets a letter mailed there any more. One
    who has this link, writes from the address, or is an operator can ask once more;
    a confirmed opt-in ends it. The address is suppressed, unless it gets another
    newsletter. A subscription that was confirmed already stays: leaving has its own
    link.

    Args:
        db: The database.
        token: From the link or the address that was answered.
        origin: Where from.
        secrets: For the token and the address hash.
        actor: Who declines.
        now: When.

    Returns:
        How the link stands now; its outcome is `DECLINED` where it was open.
    """
    deed = Deed(origin=origin, actor=actor, now=now)
    with db.write() as tx:
        found = opt_in.find(tx, token, secrets, now, subscribers.lock)
        if found is None:
            return Confirmation(outcome=OptIn.UNKNOWN)
        if found.outcome is not OptIn.OPEN:
            return opt_in.stand(tx, found.subscription, found.outcome)
        held = found.subscription
        if held.state is _PENDING:
            held = subscriptions.unsubscribe(tx, held, now=now)
        deed.consent(tx, held, ConsentAction.DECLINED)
        deed.audit(tx, held, "declined", before=found.subscription.state)
        if not _gets_anything(tx, found):
            _suppress(tx, found, deed)
        return opt_in.stand(tx, held, OptIn.DECLINED)


def take_back(
    db: Database,
    *,
    token: str,
    secrets: Secrets,
    actor: Actor,
    now: datetime,
) -> Confirmation:
    """Open a declined link again; only confirming with it ends the suppression."""
    with db.write() as tx:
        found = opt_in.find(tx, token, secrets, now, subscribers.lock)
        if found is None:
            return Confirmation(outcome=OptIn.UNKNOWN)
        if found.outcome is not OptIn.DECLINED:
            return opt_in.stand(tx, found.subscription, found.outcome)
        held = subscriptions.await_confirmation(tx, found.subscription, now=now)
        _note(tx, held, actor, now)
        return opt_in.stand(tx, held, OptIn.OPEN)


def _gets_anything(tx: Tx, found: Found) -> bool:
    every = subscriptions.for_subscriber(tx, found.reader.id)
    return any(each.state not in {_PENDING, _LEFT} for each in every)


def _suppress(tx: Tx, found: Found, deed: Deed) -> None:
    changed = suppressions.add(
        tx,
        address_hash=found.reader.address_hash,
        address=None,
        reason=SuppressionReason.REQUEST,
        detail=NEVER,
        now=deed.now,
    )
    if changed:
        audit.record(
            tx,
            actor=deed.actor,
            action="subscriber.suppressed",
            subject=("subscriber", found.reader.id),
            now=deed.now,
            detail={"reason": NEVER},
        )


def _note(tx: Tx, held: Subscription, actor: Actor, now: datetime) -> None:
    audit.record(
        tx,
        actor=actor,
        action="subscription.undeclined",
        subject=("subscription", held.id),
        now=now,
    )
