"""Opting out: at once, for ever, without a question asked first (RFC 8058)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.domain.actor import Actor
from digest.domain.addresses import EmailAddress
from digest.domain.newsletters import Newsletter
from digest.domain.secrets import Secrets
from digest.domain.states import SubscriptionState
from digest.domain.subscribers import (
    ConsentAction,
    Origin,
    Subscriber,
    Subscription,
    mask_address,
)
from digest.domain.tokens import Purpose
from digest.storage import newsletters, subscribers, subscriptions
from digest.storage.engine import Database, Tx
from digest.subscriptions.evidence import Deed

UNDO_WITHIN = timedelta(hours=1)
_LEFT = SubscriptionState.UNSUBSCRIBED


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a subscription stands, as its unsubscribe page shows it.

    Attributes:
        newsletter: What it is to.
        masked: The address, mostly hidden.
        has_left: No more editions go there.
        can_undo: They left a short time ago.
        preferences_token: For the link to the preferences.
    """

    newsletter: Newsletter
    masked: str
    has_left: bool
    can_undo: bool
    preferences_token: str


def look(
    db: Database, *, token: str, secrets: Secrets, now: datetime
) -> Standing | None:
    """Say how a link's subscription stands, changing nothing (attack A8).

    Returns:
        None for a link that is not ours or whose reader was erased.
    """
    with db.read() as tx:
        held = _find(tx, token, secrets, now)
        return None if held is None else _stand(tx, held, secrets, now)


def by_token(
    db: Database,
    *,
    token: str,
    origin: Origin,
    secrets: Secrets,
    actor: Actor,
    now: datetime,
) -> Standing | None:
    """Leave with a link's token; a second time changes nothing more.

    Tokens of this purpose never expire. Letters that are queued already are
    stopped by the send worker, which looks again right before each one.

    Args:
        db: The database.
        token: From the path, or from `unsubscribe+TOKEN@`.
        origin: Where from.
        secrets: For the token.
        actor: Who leaves.
        now: When.

    Returns:
        How it stands now; None for a link that is not ours or whose reader was
        erased: faces answer alike.
    """
    deed = Deed(origin=origin, actor=actor, now=now)
    with db.write() as tx:
        held = _find(tx, token, secrets, now, subscribers.lock)
        if held is None:
            return None
        return _stand(tx, _leave(tx, held, deed), secrets, now)


def undo(
    db: Database,
    *,
    token: str,
    origin: Origin,
    secrets: Secrets,
    actor: Actor,
    now: datetime,
) -> Standing | None:
    """Take a leave back, soon after it; later the reader signs up again.

    Letters get forwarded with their links. The short time keeps a stranger from
    bringing back somebody who left long ago.
    """
    deed = Deed(origin=origin, actor=actor, now=now)
    with db.write() as tx:
        held = _find(tx, token, secrets, now, subscribers.lock)
        if held is None:
            return None
        if _left_just_now(held, now):
            held = subscriptions.restore(tx, held, now=now)
            if held.confirmed_at is not None:
                deed.consent(tx, held, ConsentAction.CONFIRMED)
            deed.audit(tx, held, "restored")
        return _stand(tx, held, secrets, now)


def unsubscribe_address(
    db: Database,
    *,
    address: EmailAddress,
    newsletter: str | None = None,
    origin: Origin,
    actor: Actor,
    now: datetime,
) -> tuple[str, ...]:
    """Leave on behalf of an address.

    Args:
        db: The database.
        address: Parsed.
        newsletter: Its slug; None: every newsletter.
        origin: Where from.
        actor: Who decided.
        now: When.

    Returns:
        Slugs of the newsletters that were left; empty where there were none.

    Raises:
        NotFoundError: There is no such newsletter.
    """
    deed = Deed(origin=origin, actor=actor, now=now)
    with db.write() as tx:
        wanted = None if newsletter is None else newsletters.get(tx, newsletter).id
        reader = subscribers.find(tx, address.key)
        if reader is None:
            return ()
        subscribers.lock(tx, reader.id)
        held = [
            each
            for each in subscriptions.for_subscriber(tx, reader.id)
            if each.state is not _LEFT and wanted in {None, each.newsletter_id}
        ]
        for each in held:
            _leave(tx, each, deed)
        return tuple(
            newsletters.get_by_id(tx, each.newsletter_id).slug for each in held
        )


def left_together(tx: Tx, subscriber_id: int, now: datetime) -> Sequence[Subscription]:
    """Load what a reader left last, where they left everything a short time ago."""
    every = subscriptions.for_subscriber(tx, subscriber_id)
    last = max(held.since for held in every)
    if any(held.state is not _LEFT for held in every) or now - last > UNDO_WITHIN:
        return ()
    return [held for held in every if held.since == last]


_Reader = Callable[[Tx, int], Subscriber | None]


def _find(
    tx: Tx,
    text: str,
    secrets: Secrets,
    now: datetime,
    read: _Reader = subscribers.get,
) -> Subscription | None:
    token = secrets.tokens.read(Purpose.UNSUBSCRIBE, text, now=now)
    held = None if token is None else subscriptions.get(tx, token.row_id)
    if held is None:
        return None
    reader = read(tx, held.subscriber_id)
    if reader is None or reader.erased_at is not None:
        return None
    # Two presses at once follow each other where `read` locks: look again after.
    return subscriptions.get(tx, held.id)


def _stand(tx: Tx, held: Subscription, secrets: Secrets, now: datetime) -> Standing:
    reader = subscribers.get(tx, held.subscriber_id)
    assert reader is not None
    return Standing(
        newsletter=newsletters.get_by_id(tx, held.newsletter_id),
        masked=mask_address(reader.address or ""),
        has_left=held.state is _LEFT,
        can_undo=_left_just_now(held, now),
        preferences_token=secrets.tokens.issue(Purpose.PREFERENCES, held.id),
    )


def _left_just_now(held: Subscription, now: datetime) -> bool:
    return held.state is _LEFT and now - held.since <= UNDO_WITHIN


def _leave(tx: Tx, held: Subscription, deed: Deed) -> Subscription:
    if held.state is _LEFT:
        return held
    left = subscriptions.unsubscribe(tx, held, now=deed.now)
    deed.consent(tx, held, ConsentAction.WITHDRAWN)
    deed.audit(tx, held, "left", before=held.state)
    return left
