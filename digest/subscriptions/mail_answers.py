"""The letters that answer mail: how to leave, how it works, and what an operator gets.

None of them holds a word that a stranger chose, but the one to the operator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from digest.domain.letters import NewNotice, NoticeKind
from digest.domain.newsletters import Newsletter
from digest.domain.site import Site
from digest.domain.theme import read_theme
from digest.templating import Letter, Templates

_LINES = 40
_LINE_LENGTH = 300


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What an answer answers.

    Attributes:
        message: Row id of the message that was kept.
        to: Whom to answer: its envelope sender.
        message_id: Its own id with angle brackets, or empty.
    """

    message: int
    to: str
    message_id: str


@dataclass(frozen=True, kw_only=True)
class Leave:
    """One way out.

    Attributes:
        newsletter: Out of what.
        url: Its page.
    """

    newsletter: Newsletter
    url: str


def write_leaving(
    answered: Answered,
    leaves: Sequence[Leave],
    *,
    newsletter: Newsletter,
    subscriber_id: int | None,
    site: Site,
    templates: Templates,
) -> NewNotice:
    """Write to somebody who asked to leave by a plain message: the links do it."""
    letter = _render("leaving", newsletter, templates, {"leaves": leaves})
    return _answer(letter, answered, newsletter, site, subscriber_id)


def write_help(
    answered: Answered, *, newsletter: Newsletter, site: Site, templates: Templates
) -> NewNotice:
    """Write what our addresses are for."""
    letter = _render(
        "help",
        newsletter,
        templates,
        {
            "subscribe_address": f"subscribe+{newsletter.slug}@{site.mail_domain}",
            "unsubscribe_address": f"unsubscribe@{site.mail_domain}",
            "help_url": site.page("/help", newsletter.slug),
        },
    )
    return _answer(letter, answered, newsletter, site, None)


def write_to_operator(
    message: int,
    *,
    operator: str,
    recipient: str,
    author: str,
    subject: str,
    text: str,
    newsletter: Newsletter,
    templates: Templates,
) -> NewNotice:
    """Tell the operator of a message for postmaster or abuse."""
    letter = _render(
        "to_operator",
        newsletter,
        templates,
        {
            "number": message,
            "recipient": recipient,
            "author": _plain(author),
            "subject": _plain(subject),
            "lines": [_plain(line) for line in text.strip().split("\n")[:_LINES]],
        },
    )
    return NewNotice(
        kind=NoticeKind.FORWARD,
        address=operator,
        sender=newsletter.sender,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        language=newsletter.language,
        newsletter_id=newsletter.id,
        dedupe_key=f"inbox:{message}",
    )


def _render(
    name: str, newsletter: Newsletter, templates: Templates, own: Mapping[str, object]
) -> Letter:
    theme = read_theme(newsletter.theme, direction=newsletter.direction)
    return templates.letter(
        name,
        language=newsletter.language,
        context={"newsletter": newsletter, "theme": theme, **own},
    )


def _answer(
    letter: Letter,
    answered: Answered,
    newsletter: Newsletter,
    site: Site,
    subscriber_id: int | None,
) -> NewNotice:
    # RFC 3834 §3.1.4 and §3.1.5; X-Loop is how we know our own again
    headers = {"Auto-Submitted": "auto-replied", "X-Loop": site.mail_domain}
    if answered.message_id:
        headers["In-Reply-To"] = answered.message_id
        headers["References"] = answered.message_id
    return NewNotice(
        kind=NoticeKind.ANSWER,
        address=answered.to,
        sender=newsletter.sender,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        language=newsletter.language,
        headers=headers,
        newsletter_id=newsletter.id,
        subscriber_id=subscriber_id,
        dedupe_key=f"inbox:{answered.message}",
    )


def _plain(text: str) -> str:
    """Leave out what steers a screen or turns a line around."""
    return "".join(c for c in text[:_LINE_LENGTH] if c.isprintable())
