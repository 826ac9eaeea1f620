"""The second opt-in: the holder of an address confirms, and is welcomed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digest.domain.actor import Actor
from digest.domain.addresses import EmailAddress
from digest.domain.errors import RefusedError
from digest.domain.newsletters import Newsletter
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.domain.states import SubscriptionState, SuppressionReason
from digest.domain.subscribers import (
    ConsentAction,
    LetterFormat,
    Origin,
    Subscriber,
    Subscription,
    pick_sections,
)
from digest.domain.tokens import Purpose
from digest.storage import (
    audit,
    consents,
    newsletters,
    notices,
    subscribers,
    subscriptions,
    suppressions,
)
from digest.storage.engine import Database, Tx
from digest.subscriptions import sample
from digest.subscriptions.evidence import Deed
from digest.subscriptions.letters import write_welcome
from digest.templating import Templates


class OptIn(StrEnum):
    """What a confirmation link came to."""

    OPEN = "open"  # waits for the button
    CONFIRMED = "confirmed"  # done just now
    ALREADY = "already"  # was done before: the same page
    DECLINED = "declined"  # the holder said that it was not them
    EXPIRED = "expired"  # too old, or the reader left since: offer a new link
    UNKNOWN = "unknown"  # not a link of ours, or the reader's record was erased


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """How a confirmation link stands.

    Attributes:
        outcome: What it came to.
        newsletter: Which newsletter; None for an unknown link.
        preferences_token: For the welcome page, once confirmed.
    """

    outcome: OptIn
    newsletter: Newsletter | None = None
    preferences_token: str = ""


_UNKNOWN = Confirmation(outcome=OptIn.UNKNOWN)


def look(db: Database, *, token: str, secrets: Secrets, now: datetime) -> Confirmation:
    """Say how a confirmation link stands, changing nothing (attack A7)."""
    with db.read() as tx:
        found = find(tx, token, secrets, now)
        if found is None:
            return _UNKNOWN
        return stand(tx, found.subscription, found.outcome)


def confirm(
    db: Database,
    *,
    token: str,
    origin: Origin,
    site: Site,
    secrets: Secrets,
    templates: Templates,
    actor: Actor,
    now: datetime,
) -> Confirmation:
    """Opt in with a confirmation link; pressing twice changes nothing more.

    Args:
        db: The database.
        token: From the link or the address that was answered.
        origin: Where the button was, and its words.
        site: For the links of the welcome letter.
        secrets: For tokens and the address hash.
        templates: For the welcome letter.
        actor: Who confirms.
        now: When.
    """
    deed = Deed(origin=origin, actor=actor, now=now)
    with db.write() as tx:
        found = find(tx, token, secrets, now, subscribers.lock)
        if found is None:
            return _UNKNOWN
        if found.outcome is not OptIn.OPEN:
            return stand(tx, found.subscription, found.outcome, secrets)
        active = _activate(tx, found.subscription, ConsentAction.CONFIRMED, deed)
        lifted = _lift_request(tx, found.reader, deed)
        newsletter = newsletters.get_by_id(tx, active.newsletter_id)
        if lifted:
            welcome = write_welcome(
                found.reader,
                active,
                newsletter=newsletter,
                latest=sample.latest(tx, newsletter, active, site=site),
                site=site,
                secrets=secrets,
                templates=templates,
            )
            notices.add(tx, welcome, now=now)
        return stand(tx, active, OptIn.CONFIRMED, secrets)


def record(
    db: Database,
    *,
    newsletter: str,
    address: EmailAddress,
    sections: tuple[str, ...] = (),
    letter_format: LetterFormat = LetterFormat.HTML,
    name: str = "",
    origin: Origin,
    secrets: Secrets,
    actor: Actor,
    now: datetime,
) -> Subscription:
    """Enter a reader who agreed elsewhere; nothing is mailed.

    The arguments are those of `sign_up.request`; the origin's wording says what the
    reader agreed to.

    Raises:
        RefusedError: The address is suppressed, or no wording is given.
        NotFoundError: There is no such newsletter.
    """
    if not origin.wording.strip():
        raise RefusedError(
            "Consent needs its words.", "Say what the reader agreed to, and when."
        )
    deed = Deed(origin=origin, actor=actor, now=now)
    with db.write() as tx:
        found = newsletters.get(tx, newsletter)
        wanted = pick_sections(found, sections)
        hashed = secrets.hash_address(address.key)
        if suppressions.find(tx, hashed) is not None:
            raise RefusedError(
                "The address is suppressed.",
                "Lift that first: digest subscribers unsuppress.",
            )
        reader = subscribers.add(tx, address, name=name, address_hash=hashed, now=now)
        held = subscriptions.add(
            tx, subscriber_id=reader.id, newsletter_id=found.id, now=now
        )
        held = subscriptions.choose(
            tx, held, sections=wanted, letter_format=letter_format
        )
        if held.state is SubscriptionState.ACTIVE:
            return held
        return _activate(tx, held, ConsentAction.RECORDED, deed)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a genuine link is about, and what it came to so far."""

    reader: Subscriber
    subscription: Subscription
    outcome: OptIn


_Reader = Callable[[Tx, int], Subscriber | None]


def find(
    tx: Tx,
    text: str,
    secrets: Secrets,
    now: datetime,
    read: _Reader = subscribers.get,
) -> Found | None:
    """Say what a confirmation link is about; None for one that is not ours.

    Args:
        tx: A transaction.
        text: The token.
        secrets: For the token.
        now: When.
        read: `subscribers.lock` in a transaction that changes something.
    """
    token = secrets.tokens.read(Purpose.CONFIRM, text, now=now)
    held = None if token is None else subscriptions.get(tx, token.row_id)
    if token is None or held is None:
        return None
    reader = read(tx, held.subscriber_id)
    # Two presses at once follow each other where `read` locks: look again after.
    held = subscriptions.get(tx, token.row_id)
    if held is None or reader is None or reader.address is None:
        return None
    outcome = _judge(held.state, expired=token.expired)
    if held.state is SubscriptionState.UNSUBSCRIBED and not token.expired:
        declined = consents.has_declined(tx, reader.id)
        outcome = OptIn.DECLINED if declined else outcome
    return Found(reader=reader, subscription=held, outcome=outcome)


def _judge(state: SubscriptionState, *, expired: bool) -> OptIn:
    """Say what a genuine link is worth.

    A link from before the reader left does not undo the leaving: asking again
    would have made the subscription pending.
    """
    if state is SubscriptionState.ACTIVE:
        return OptIn.ALREADY
    if expired or state is SubscriptionState.UNSUBSCRIBED:
        return OptIn.EXPIRED
    return OptIn.OPEN


def stand(
    tx: Tx, subscription: Subscription, outcome: OptIn, secrets: Secrets | None = None
) -> Confirmation:
    """Describe how a link stands, with a way to the preferences given `secrets`."""
    shown = secrets is not None and outcome in {OptIn.CONFIRMED, OptIn.ALREADY}
    return Confirmation(
        outcome=outcome,
        newsletter=newsletters.get_by_id(tx, subscription.newsletter_id),
        preferences_token=(
            secrets.tokens.issue(Purpose.PREFERENCES, subscription.id)
            if secrets is not None and shown
            else ""
        ),
    )


def _activate(
    tx: Tx, held: Subscription, action: ConsentAction, deed: Deed
) -> Subscription:
    active = subscriptions.activate(tx, held, now=deed.now, confirmed_at=deed.now)
    deed.consent(tx, active, action)
    deed.audit(tx, active, action, before=held.state)
    return active


def _lift_request(tx: Tx, reader: Subscriber, deed: Deed) -> bool:
    """Lift the reader's own suppression.

    Returns:
        Whether the address may be written to.
    """
    found = suppressions.find(tx, reader.address_hash)
    if found is None:
        return True
    if found.reason is not SuppressionReason.REQUEST:
        return False
    suppressions.remove(tx, reader.address_hash)
    audit.record(
        tx,
        actor=deed.actor,
        action="suppression.lifted",
        subject=("subscriber", reader.id),
        now=deed.now,
        detail={"reason": found.reason},
    )
    return True
