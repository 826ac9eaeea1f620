"""The first opt-in: somebody asks for the letter, its reader is asked to confirm.

Only the holder of the address can confirm; until then nothing but the confirmation
letter is mailed, and of that at most one a day and three in all (attack A6).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from digest.domain.actor import Actor
from digest.domain.addresses import EmailAddress
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
from digest.storage import (
    consents,
    newsletters,
    notices,
    subscribers,
    subscriptions,
    suppressions,
)
from digest.storage.engine import Database, Tx
from digest.subscriptions.evidence import Deed
from digest.subscriptions.letters import write_confirmation
from digest.templating import Templates

BETWEEN_CONFIRMATIONS = timedelta(hours=24)
MOST_CONFIRMATIONS = 3

_PENDING, _LEFT = SubscriptionState.PENDING, SubscriptionState.UNSUBSCRIBED


class SignUp(StrEnum):
    """What a request came to; public faces give the same answer to each."""

    MAILED = "mailed"  # a confirmation letter is in the queue
    ACTIVE = "active"  # gets the letter already: nothing mailed
    LIMITED = "limited"  # asked too often without confirming: nothing mailed
    SUPPRESSED = "suppressed"  # must not be written to: nothing mailed


@dataclass(frozen=True, kw_only=True)
class _Wish:
    newsletter: Newsletter
    sections: tuple[str, ...]
    letter_format: LetterFormat
    deed: Deed


def request(
    db: Database,
    *,
    newsletter: str,
    address: EmailAddress,
    sections: tuple[str, ...] = (),
    letter_format: LetterFormat = LetterFormat.HTML,
    name: str = "",
    origin: Origin,
    site: Site,
    secrets: Secrets,
    templates: Templates,
    actor: Actor,
    now: datetime,
) -> SignUp:
    """Ask for a newsletter on behalf of an address.

    Args:
        db: The database.
        newsletter: Its slug.
        address: Parsed.
        sections: Wanted section slugs; empty: all.
        letter_format: HTML or text.
        name: As typed; kept, never mailed before the address is confirmed.
        origin: The form, the network and the words agreed to.
        site: For the links.
        secrets: For the token and the address hash.
        templates: For the letter.
        actor: Who asks.
        now: When.

    Raises:
        NotFoundError: There is no such newsletter.
        RefusedError: It has no such section.
    """
    with db.write() as tx:
        found = newsletters.get(tx, newsletter)
        wish = _Wish(
            newsletter=found,
            sections=pick_sections(found, sections),
            letter_format=letter_format,
            deed=Deed(origin=origin, actor=actor, now=now),
        )
        hashed = secrets.hash_address(address.key)
        if is_barred(tx, hashed):
            return SignUp.SUPPRESSED
        reader = subscribers.add(tx, address, name=name, address_hash=hashed, now=now)
        subscription = subscriptions.add(
            tx, subscriber_id=reader.id, newsletter_id=found.id, now=now
        )
        if subscription.state is SubscriptionState.ACTIVE:
            return SignUp.ACTIVE
        if _asked_too_often(tx, reader, now):
            return SignUp.LIMITED
        awaiting = _await_confirmation(tx, subscription, wish)
        letter = write_confirmation(
            reader,
            awaiting,
            newsletter=found,
            site=site,
            secrets=secrets,
            templates=templates,
            now=now,
        )
        notices.add(tx, letter, now=now)
        return SignUp.MAILED


def is_barred(tx: Tx, address_hash: str) -> bool:
    """Tell whether an address must not even be asked.

    A reader who asked for no mail may change their mind, and only the holder of
    the address can confirm; every other suppression is not the reader's to lift.
    """
    found = suppressions.find(tx, address_hash)
    return found is not None and found.reason is not SuppressionReason.REQUEST


def _asked_too_often(tx: Tx, reader: Subscriber, now: datetime) -> bool:
    count, last = consents.unanswered_requests(tx, reader.id)
    recent = last is not None and now - last < BETWEEN_CONFIRMATIONS
    return recent or count >= MOST_CONFIRMATIONS


def _await_confirmation(
    tx: Tx, subscription: Subscription, wish: _Wish
) -> Subscription:
    """Put the wish on record; a paused subscription stays so until confirmed."""
    if subscription.state is _LEFT:
        subscription = subscriptions.await_confirmation(
            tx, subscription, now=wish.deed.now
        )
    if subscription.state is _PENDING:
        subscription = subscriptions.choose(
            tx,
            subscription,
            sections=wish.sections,
            letter_format=wish.letter_format,
        )
    wish.deed.consent(tx, subscription, ConsentAction.REQUESTED)
    wish.deed.audit(tx, subscription, "requested", newsletter=wish.newsletter.slug)
    return subscription
