"""The first opt-in: somebody asks for the letter, its reader is asked to confirm.

Only the holder of the address can confirm; until then nothing but the confirmation
letter is mailed, and of that at most one a day and three in 30 days (attack A6).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from digest.domain.actor import Actor, ActorKind
from digest.domain.addresses import EmailAddress
from digest.domain.allowances import Allowance, SignUpRules
from digest.domain.newsletters import Newsletter
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.domain.states import SubscriptionState, SuppressionReason
from digest.domain.subscribers import (
    NEVER,
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
    tallies,
)
from digest.storage.engine import Database, Tx
from digest.subscriptions.evidence import Deed
from digest.subscriptions.letters import write_confirmation
from digest.templating import Templates

BETWEEN_CONFIRMATIONS = timedelta(hours=24)
MOST_CONFIRMATIONS, CONFIRMATIONS_WITHIN = 3, timedelta(days=30)

_log = structlog.get_logger()
# Who a form or a From names may be anybody.
_STRANGERS = {ActorKind.READER, ActorKind.MAIL}
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
    by_holder: bool = False,
    origin: Origin,
    rules: SignUpRules | None = SignUpRules(),  # noqa: B008 - it is frozen
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
        by_holder: Who asks came by a letter to the address, or writes from it, so that
            a "never write" stands in nobody's way; implied for operators.
        origin: The form, the network and the words agreed to.
        rules: How many letters one inbox and all together are sent; None: an operator
            asks, who may send more.
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
        is_anybody = actor.kind in _STRANGERS and not by_holder
        if is_barred(tx, address, hashed, anybody=is_anybody):
            return SignUp.SUPPRESSED
        with tx.begin_nested() as trial:
            reader = subscribers.add(
                tx, address, name=name, address_hash=hashed, now=now
            )
            subscription = subscriptions.add(
                tx, subscriber_id=reader.id, newsletter_id=found.id, now=now
            )
            if subscription.state is SubscriptionState.ACTIVE:
                return SignUp.ACTIVE
            if _asked_too_often(tx, reader, now):
                return SignUp.LIMITED
            if rules and not _admit_wish(tx, address, rules, secrets, wish.deed):
                # Not even the address is kept.
                trial.rollback()
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


def is_barred(
    tx: Tx, address: EmailAddress, address_hash: str, *, anybody: bool
) -> bool:
    """Tell whether an address must not even be asked.

    A reader who asked for no mail may change their mind, and only the holder of
    the address can confirm; every other suppression is not the reader's to lift.

    Args:
        tx: A transaction.
        address: The address.
        address_hash: Its keyed hash.
        anybody: The request may be a stranger's; one who said "not me, never write"
            is not asked again on such a one's word.
    """
    found = suppressions.find(tx, address_hash)
    if found is not None and found.reason is not SuppressionReason.REQUEST:
        return True
    if not anybody:
        return False
    if found is not None and found.detail == NEVER:
        return True
    reader = subscribers.find(tx, address.key)
    return reader is not None and consents.has_declined(tx, reader.id)


def _asked_too_often(tx: Tx, reader: Subscriber, now: datetime) -> bool:
    count, last = consents.unanswered_requests(
        tx, reader.id, since=now - CONFIRMATIONS_WITHIN
    )
    recent = last is not None and now - last < BETWEEN_CONFIRMATIONS
    return recent or count >= MOST_CONFIRMATIONS


def _admit_wish(
    tx: Tx, address: EmailAddress, rules: SignUpRules, secrets: Secrets, deed: Deed
) -> bool:
    by_mail = [rules.of_mail()] if deed.actor.kind is ActorKind.MAIL else []
    admitted = admit(tx, address, rules, secrets, deed.now, *by_mail)
    if admitted and rules.is_disposable(address.domain):
        _log.warning("sign_up.disposable", domain=address.domain)
    return admitted


def admit(
    tx: Tx,
    address: EmailAddress,
    rules: SignUpRules,
    secrets: Secrets,
    now: datetime,
    *more: Allowance,
) -> bool:
    """Count a letter to an inbox whose holder may not have asked for it.

    Args:
        tx: A write transaction.
        address: Where it would go.
        rules: How many letters one inbox and all together are sent.
        secrets: For the inbox's hash.
        now: When.
        more: What else it is counted against.

    Returns:
        False: the inbox or everybody got enough of them.
    """
    mailbox = secrets.hash_name("mailbox", address.mailbox)
    wanted = [rules.of_mailbox(mailbox), rules.of_everybody(), *more]
    return tallies.take(tx, wanted, now=now)


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
