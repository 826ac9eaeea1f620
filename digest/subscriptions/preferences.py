"""What a reader changes by the link in a letter: topics, format, pauses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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
)
from digest.storage.engine import Database, Tx
from digest.subscriptions.leave import left_together

PAUSES = (4, 8)  # weeks

_GETS = {SubscriptionState.ACTIVE, SubscriptionState.PAUSED}
_PENDING, _LEFT = SubscriptionState.PENDING, SubscriptionState.UNSUBSCRIBED


@dataclass(frozen=True, kw_only=True)
class Held:
    """One newsletter that the reader gets.

    Attributes:
        newsletter: Which.
        subscription: As it stands.
        unsubscribe_token: For the way out of this one.
    """

    newsletter: Newsletter
    subscription: Subscription
    unsubscribe_token: str


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """What the page of one reader shows.

    Attributes:
        reader: Whose it is.
        address: Parsed, to ask for another newsletter with.
        masked: The address, mostly hidden.
        newsletter: Whose letter the link stood in; the page speaks its language.
        subscription: To that one, as it stands.
        held: What the reader gets or paused, that one first.
        waiting: Newsletters that wait for a confirmation.
        others: Newsletters the reader neither gets nor is waiting for.
        can_undo: Everything was left a short time ago.
    """

    reader: Subscriber
    address: EmailAddress
    masked: str
    newsletter: Newsletter
    subscription: Subscription
    held: Sequence[Held]
    waiting: Sequence[Newsletter]
    others: Sequence[Newsletter]
    can_undo: bool


def look(
    db: Database, *, token: str, secrets: Secrets, now: datetime
) -> Preferences | None:
    """Show a reader's preferences; None for a link that opens none."""
    with db.read() as tx:
        held = find(tx, token, secrets, now)
        return None if held is None else show(tx, held, secrets, now)


def save(
    db: Database,
    *,
    token: str,
    newsletter: str | None = None,
    sections: tuple[str, ...],
    letter_format: LetterFormat,
    secrets: Secrets,
    actor: Actor,
    now: datetime,
) -> Preferences | None:
    """Choose sections and format.

    Args:
        db: The database.
        token: From the link.
        newsletter: Which one's, by slug; default the one whose letter the link was
            in. One the reader does not get stays as it is.
        sections: Slugs; empty: all.
        letter_format: HTML or text.
        secrets: For the token.
        actor: Who chooses.
        now: When.

    Raises:
        RefusedError: The newsletter has no such section.
    """

    def choose(tx: Tx, held: Subscription) -> str | None:
        wanted = pick_sections(newsletters.get_by_id(tx, held.newsletter_id), sections)
        if (wanted, letter_format) == (held.sections, held.format):
            return None
        subscriptions.choose(tx, held, sections=wanted, letter_format=letter_format)
        return "subscription.changed"

    return _change(
        db,
        token,
        choose,
        newsletter=newsletter,
        secrets=secrets,
        actor=actor,
        now=now,
    )


def pause(
    db: Database,
    *,
    token: str,
    newsletter: str | None = None,
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

    return _change(
        db,
        token,
        stop,
        newsletter=newsletter,
        secrets=secrets,
        actor=actor,
        now=now,
    )


def resume(
    db: Database,
    *,
    token: str,
    newsletter: str | None = None,
    secrets: Secrets,
    actor: Actor,
    now: datetime,
) -> Preferences | None:
    """End a pause early."""

    def go_on(tx: Tx, held: Subscription) -> str | None:
        if held.state is not SubscriptionState.PAUSED:
            return None
        subscriptions.activate(tx, held, now=now)
        return "subscription.resumed"

    return _change(
        db,
        token,
        go_on,
        newsletter=newsletter,
        secrets=secrets,
        actor=actor,
        now=now,
    )


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


def _change(
    db: Database,
    token: str,
    change: Callable[[Tx, Subscription], str | None],
    *,
    newsletter: str | None,
    secrets: Secrets,
    actor: Actor,
    now: datetime,
) -> Preferences | None:
    """Change one subscription under its reader's lock, and audit what changed."""
    with db.write() as tx:
        found = find(tx, token, secrets, now)
        if found is None:
            return None
        subscribers.lock(tx, found.subscriber_id)
        held = _choose(tx, reload(tx, found), newsletter)
        action = None if held is None else change(tx, held)
        if held is not None and action is not None:
            _note(tx, held, action, actor, now)
        return show(tx, reload(tx, found), secrets, now)


def _choose(tx: Tx, found: Subscription, newsletter: str | None) -> Subscription | None:
    """Return which of the reader's subscriptions is meant."""
    if newsletter is None:
        return found
    for held in subscriptions.for_subscriber(tx, found.subscriber_id):
        if newsletters.get_by_id(tx, held.newsletter_id).slug == newsletter:
            return held
    return None


def reload(tx: Tx, held: Subscription) -> Subscription:
    """Load it as it stands now."""
    fresh = subscriptions.get(tx, held.id)
    assert fresh is not None, "subscriptions are never deleted"
    return fresh


def _note(tx: Tx, held: Subscription, action: str, actor: Actor, now: datetime) -> None:
    subject = ("subscription", held.id)
    audit.record(tx, actor=actor, action=action, subject=subject, now=now)


def find(tx: Tx, text: str, secrets: Secrets, now: datetime) -> Subscription | None:
    """Load the subscription of a link; None: not ours, or its reader was erased."""
    token = secrets.tokens.read(Purpose.PREFERENCES, text, now=now)
    held = None if token is None else subscriptions.get(tx, token.row_id)
    reader = None if held is None else subscribers.get(tx, held.subscriber_id)
    return None if reader is None or reader.address is None else held


def show(tx: Tx, found: Subscription, secrets: Secrets, now: datetime) -> Preferences:
    """Describe a reader's preferences by way of one of their subscriptions."""
    reader = subscribers.get(tx, found.subscriber_id)
    assert reader is not None
    assert reader.address is not None
    every = {each.id: each for each in newsletters.list_all(tx)}
    theirs = subscriptions.for_subscriber(tx, reader.id)
    taken = {h.newsletter_id for h in theirs if h.state is not _LEFT}
    return Preferences(
        reader=reader,
        address=parse_address(reader.address),
        masked=mask_address(reader.address),
        newsletter=every[found.newsletter_id],
        subscription=found,
        held=[
            Held(
                newsletter=every[held.newsletter_id],
                subscription=held,
                unsubscribe_token=secrets.tokens.issue(Purpose.UNSUBSCRIBE, held.id),
            )
            for held in sorted(theirs, key=lambda held: held.id != found.id)
            if held.state in _GETS
        ],
        waiting=[
            every[held.newsletter_id] for held in theirs if held.state is _PENDING
        ],
        others=[each for each in every.values() if each.id not in taken],
        can_undo=bool(left_together(tx, reader.id, now)),
    )
