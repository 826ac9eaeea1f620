"""Leaving every newsletter at once, by the link to the preferences."""

from datetime import datetime

from digest.domain.actor import Actor
from digest.domain.secrets import Secrets
from digest.domain.states import SubscriptionState
from digest.domain.subscribers import ConsentAction, Origin
from digest.storage import subscribers, subscriptions
from digest.storage.engine import Database
from digest.subscriptions.evidence import Deed
from digest.subscriptions.leave import left_together
from digest.subscriptions.preferences import Preferences, find, reload, show


def leave_all(
    db: Database,
    *,
    token: str,
    origin: Origin,
    secrets: Secrets,
    actor: Actor,
    now: datetime,
) -> Preferences | None:
    """Leave everything the reader gets or waits for, at once."""
    deed = Deed(origin=origin, actor=actor, now=now)
    with db.write() as tx:
        found = find(tx, token, secrets, now)
        if found is None:
            return None
        subscribers.lock(tx, found.subscriber_id)
        for held in subscriptions.for_subscriber(tx, found.subscriber_id):
            if held.state is not SubscriptionState.UNSUBSCRIBED:
                subscriptions.unsubscribe(tx, held, now=now)
                deed.consent(tx, held, ConsentAction.WITHDRAWN)
                deed.audit(tx, held, "left", before=held.state)
        return show(tx, reload(tx, found), secrets, now)


def undo_all(
    db: Database,
    *,
    token: str,
    origin: Origin,
    secrets: Secrets,
    actor: Actor,
    now: datetime,
) -> Preferences | None:
    """Take that back, soon after it; what was left before stays left."""
    deed = Deed(origin=origin, actor=actor, now=now)
    with db.write() as tx:
        found = find(tx, token, secrets, now)
        if found is None:
            return None
        subscribers.lock(tx, found.subscriber_id)
        for held in left_together(tx, found.subscriber_id, now):
            back = subscriptions.restore(tx, held, now=now)
            if back.confirmed_at is not None:
                deed.consent(tx, back, ConsentAction.CONFIRMED)
            deed.audit(tx, back, "restored")
        return show(tx, reload(tx, found), secrets, now)
