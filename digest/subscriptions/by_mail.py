"""What messages bring about: nothing but letters, unless a token of ours signs for it.

Whoever writes can put any address into From. So a plain message only ever starts what
the holder of the address must finish (RFC 3834 §2, attack A21).
"""

from dataclasses import dataclass
from datetime import datetime

from digest.domain.addresses import EmailAddress, parse_address
from digest.domain.newsletters import Newsletter
from digest.domain.own_mail import OPERATOR_NAMES
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.domain.states import SubscriptionState
from digest.domain.subscribers import Subscription
from digest.domain.tokens import Purpose
from digest.storage import (
    auto_replies,
    inbox,
    newsletters,
    notices,
    subscribers,
    subscriptions,
    suppressions,
)
from digest.storage.engine import Database, Tx
from digest.subscriptions.mail_answers import (
    Answered,
    Leave,
    write_help,
    write_leaving,
    write_to_operator,
)
from digest.templating import Templates

_MOST_FORWARDED = 24  # a day


@dataclass(frozen=True, kw_only=True)
class Means:
    """What is needed to answer.

    Attributes:
        db: The database.
        site: Our addresses.
        secrets: For tokens and hashes.
        templates: For letters.
        now: When.
    """

    db: Database
    site: Site
    secrets: Secrets
    templates: Templates
    now: datetime


def offer_leave(
    means: Means, answered: Answered, *, author: EmailAddress, newsletter: str | None
) -> bool:
    """Answer a message that asks to stop the letters; nothing else changes.

    The ways out go to nobody but the holder of the address on file. That nothing goes
    there is told to its holder alone: whoever writes in another's name would learn
    from the answer whether that one is a reader (attack A9).

    Args:
        means: To answer with.
        answered: The message.
        author: The address it says it is from.
        newsletter: In whose language, where none goes to that address; None: the
            first one's.

    Returns:
        Whether an answer is in the queue; False: it was answered lately, or nobody
        may be told.
    """
    with means.db.write() as tx:
        reader = subscribers.find(tx, author.key)
        held = [] if reader is None else _live(tx, reader.id)
        to = author.address
        if not held and answered.to.lower() != author.key:
            return False
        if not _may_answer(tx, means, to, is_help=not held):
            return False
        leaves = [_way_out(tx, means, each) for each in held]
        fallback = _choose(tx, newsletter)
        letter = write_leaving(
            Answered(message=answered.message, to=to, message_id=answered.message_id),
            leaves,
            newsletter=leaves[0].newsletter if leaves else fallback,
            subscriber_id=reader.id if reader is not None and held else None,
            site=means.site,
            templates=means.templates,
        )
        notices.add(tx, letter, now=means.now)
        return True


def explain(means: Means, answered: Answered, *, newsletter: str | None) -> bool:
    """Answer what our addresses are for.

    Returns:
        Whether an answer is in the queue; False: it was answered lately.
    """
    with means.db.write() as tx:
        if not _may_answer(tx, means, answered.to, is_help=True):
            return False
        letter = write_help(
            answered,
            newsletter=_choose(tx, newsletter),
            site=means.site,
            templates=means.templates,
        )
        notices.add(tx, letter, now=means.now)
        return True


def tell_operator(
    means: Means,
    message: int,
    *,
    operator: str | None,
    recipient: str,
    author: str,
    subject: str,
    text: str,
) -> bool:
    """Tell the operator of a message for postmaster or abuse, at most 24 a day.

    Args:
        means: To write with.
        message: Its row id.
        operator: Whom to tell; None: the first newsletter's editor.
        recipient: Which address it came to.
        author: Whom it says it is from.
        subject: Its subject.
        text: The start of its text.

    Returns:
        Whether a letter is in the queue.
    """
    with means.db.write() as tx:
        day_ago = means.now - auto_replies.BETWEEN_ANSWERS
        theirs = [f"{name}@{means.site.mail_domain}" for name in OPERATOR_NAMES]
        if inbox.count_for(tx, theirs, since=day_ago) > _MOST_FORWARDED:
            return False
        newsletter = _choose(tx, None)
        letter = write_to_operator(
            message,
            operator=operator or newsletter.sender.reply_to,
            recipient=recipient,
            author=author,
            subject=subject,
            text=text,
            newsletter=newsletter,
            templates=means.templates,
        )
        notices.add(tx, letter, now=means.now)
        return True


def _live(tx: Tx, subscriber_id: int) -> list[Subscription]:
    return [
        each
        for each in subscriptions.for_subscriber(tx, subscriber_id)
        if each.state is not SubscriptionState.UNSUBSCRIBED
    ]


def _way_out(tx: Tx, means: Means, held: Subscription) -> Leave:
    token = means.secrets.tokens.issue(Purpose.UNSUBSCRIBE, held.id)
    return Leave(
        newsletter=newsletters.get_by_id(tx, held.newsletter_id),
        url=means.site.unsubscribe_url(token),
    )


def _may_answer(tx: Tx, means: Means, to: str, *, is_help: bool) -> bool:
    address = parse_address(to)
    if suppressions.find(tx, means.secrets.hash_address(address.key)) is not None:
        return False
    # Whatever it is called: a+1@ and a+2@ are one inbox (attack A6).
    inbox_of = means.secrets.hash_name("answered", address.mailbox)
    return auto_replies.claim(tx, inbox_of, is_help=is_help, now=means.now)


def _choose(tx: Tx, slug: str | None) -> Newsletter:
    """Return the newsletter of a name, or the first one."""
    known = newsletters.list_all(tx)
    return next((each for each in known if each.slug == slug), known[0])
