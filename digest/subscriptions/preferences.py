"""What a reader changes by the link in a letter: topics, format, pauses, their data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from digest.domain.actor import Actor
from digest.domain.addresses import EmailAddress, parse_address
from digest.domain.errors import RefusedError
from digest.domain.newsletters import Newsletter
from digest.domain.secrets import Secrets
from digest.domain.states import SubscriptionState
from digest.domain.subscribers import (
    LetterFormat,
    Subscriber,
    Subscription,
    mask_address,
    pick_sections,
)
from digest.domain.tokens import Purpose
from digest.storage import (
    audit,
    newsletters,
    subscribers,
    subscriptions,
    suppressions,
)
from digest.storage.engine import Database, Tx
from digest.subscriptions.dossier import show_consent, show_subscriptions

PAUSES = (4, 8)  # weeks


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """What the page of one subscription shows.

    Attributes:
        reader: Whose it is.
        address: Parsed, to ask for another newsletter with.
        masked: The address, mostly hidden.
        newsletter: What the subscription is to.
        subscription: As it stands.
        others: Newsletters the reader neither gets nor is waiting for.
        unsubscribe_token: For the link to the way out.
    """

    reader: Subscriber
    address: EmailAddress
    masked: str
    newsletter: Newsletter
    subscription: Subscription
    others: Sequence[Newsletter]
    unsubscribe_token: str


def look(
    db: Database, *, token: str, secrets: Secrets, now: datetime
) -> Preferences | None:
    """Show a reader's preferences; None for a link that opens none."""
    with db.read() as tx:
        held = _find(tx, token, secrets, now)
        return None if held is None else _show(tx, held, secrets)


def save(
    db: Database,
    *,
    token: str,
    sections: tuple[str, ...],
    letter_format: LetterFormat,
    secrets: Secrets,
    actor: Actor,
    now: datetime,
) -> Preferences | None:
    """Choose sections and format.

    Raises:
        RefusedError: The newsletter has no such section.
    """

    def choose(tx: Tx, held: Subscription) -> str | None:
        newsletter = newsletters.get_by_id(tx, held.newsletter_id)
        wanted = pick_sections(newsletter, sections)
        if (wanted, letter_format) == (held.sections, held.format):
            return None
        subscriptions.choose(tx, held, sections=wanted, letter_format=letter_format)
        return "subscription.changed"

    return _change(db, token, choose, secrets=secrets, actor=actor, now=now)


def pause(
    db: Database,
    *,
    token: str,
    weeks: int,
    secrets: Secrets,
    actor: Actor,
    now: datetime,
) -> Preferences | None:
    """Stop the letters for some weeks; pausing a pause sets its end anew.

    Raises:
        RefusedError: A length that is not offered.
    """
    if weeks not in PAUSES:
        raise RefusedError("A pause lasts 4 or 8 weeks.", "Choose one of them.")
    until = now + timedelta(weeks=weeks)

    def stop(tx: Tx, held: Subscription) -> str | None:
        if held.state is SubscriptionState.PAUSED:
            held = subscriptions.activate(tx, held, now=now)
        if held.state is not SubscriptionState.ACTIVE:
            return None
        subscriptions.pause(tx, held, until=until, now=now)
        return "subscription.paused"

    return _change(db, token, stop, secrets=secrets, actor=actor, now=now)


def resume(
    db: Database, *, token: str, secrets: Secrets, actor: Actor, now: datetime
) -> Preferences | None:
    """End a pause early."""

    def go_on(tx: Tx, held: Subscription) -> str | None:
        if held.state is not SubscriptionState.PAUSED:
            return None
        subscriptions.activate(tx, held, now=now)
        return "subscription.resumed"

    return _change(db, token, go_on, secrets=secrets, actor=actor, now=now)


def resume_due(db: Database, *, actor: Actor, now: datetime) -> int:
    """End every pause whose time has come.

    Returns:
        How many subscriptions are active again.
    """
    resumed = 0
    while True:
        with db.write() as tx:
            due = subscriptions.due_to_resume(tx, now=now)
            for held in due:
                subscriptions.activate(tx, held, now=now)
                _note(tx, held, "subscription.resumed", actor, now)
        if not due:
            return resumed
        resumed += len(due)


def export(
    db: Database, *, token: str, secrets: Secrets, now: datetime
) -> Mapping[str, Any] | None:
    """Gather what is stored about a reader (GDPR Art. 15 and 20), as plain values."""
    with db.read() as tx:
        held = _find(tx, token, secrets, now)
        reader = None if held is None else subscribers.get(tx, held.subscriber_id)
        if reader is None:
            return None
        barred = suppressions.find(tx, reader.address_hash)
        evidence = show_consent(tx, reader)
        return {
            "address": reader.address,
            "name": reader.name,
            "known_since": reader.created_at,
            "subscriptions": show_subscriptions(tx, reader),
            "suppression": (
                None if barred is None else {"reason": barred.reason, "at": barred.at}
            ),
            # Which operator entered it is not the reader's data.
            "consent": [
                {name: value for name, value in each.items() if name != "actor"}
                for each in evidence
            ],
        }


def _change(
    db: Database,
    token: str,
    change: Callable[[Tx, Subscription], str | None],
    *,
    secrets: Secrets,
    actor: Actor,
    now: datetime,
) -> Preferences | None:
    """Change one subscription under its reader's lock, and audit what changed."""
    with db.write() as tx:
        held = _find(tx, token, secrets, now)
        if held is None:
            return None
        subscribers.lock(tx, held.subscriber_id)
        fresh = subscriptions.get(tx, held.id)
        assert fresh is not None, "subscriptions are never deleted"
        action = change(tx, fresh)
        if action is not None:
            _note(tx, fresh, action, actor, now)
        after = subscriptions.get(tx, held.id)
        assert after is not None, "subscriptions are never deleted"
        return _show(tx, after, secrets)


def _note(tx: Tx, held: Subscription, action: str, actor: Actor, now: datetime) -> None:
    audit.record(
        tx,
        actor=actor,
        action=action,
        subject=("subscription", held.id),
        now=now,
    )


def _find(tx: Tx, text: str, secrets: Secrets, now: datetime) -> Subscription | None:
    token = secrets.tokens.read(Purpose.PREFERENCES, text, now=now)
    held = None if token is None else subscriptions.get(tx, token.row_id)
    reader = None if held is None else subscribers.get(tx, held.subscriber_id)
    return None if reader is None or reader.address is None else held


def _show(tx: Tx, held: Subscription, secrets: Secrets) -> Preferences:
    reader = subscribers.get(tx, held.subscriber_id)
    assert reader is not None
    assert reader.address is not None
    taken = {
        each.newsletter_id
        for each in subscriptions.for_subscriber(tx, reader.id)
        if each.state is not SubscriptionState.UNSUBSCRIBED
    }
    every = newsletters.list_all(tx)
    return Preferences(
        reader=reader,
        address=parse_address(reader.address),
        masked=mask_address(reader.address),
        newsletter=next(n for n in every if n.id == held.newsletter_id),
        subscription=held,
        others=[n for n in every if n.id not in taken and n.id != held.newsletter_id],
        unsubscribe_token=secrets.tokens.issue(Purpose.UNSUBSCRIBE, held.id),
    )
