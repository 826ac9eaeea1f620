"""The two letters of an opt-in: the one that asks and the one that welcomes."""

from datetime import datetime
from functools import partial

from digest.domain.bidi import direction_of
from digest.domain.letters import NewNotice, NoticeKind, Sender
from digest.domain.list_headers import list_headers
from digest.domain.newsletters import Newsletter
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.domain.subscribers import Subscriber, Subscription
from digest.domain.theme import read_theme
from digest.domain.tokens import Purpose
from digest.subscriptions.sample import Sample
from digest.templating import Templates

_AUTOMATIC = {"Auto-Submitted": "auto-generated"}  # RFC 3834 §5


def write_confirmation(
    reader: Subscriber,
    subscription: Subscription,
    *,
    newsletter: Newsletter,
    site: Site,
    secrets: Secrets,
    templates: Templates,
    now: datetime,
) -> NewNotice:
    """Write the letter that asks; nothing in it was typed into a form.

    It has no List-* field, since its reader is on no list yet (check L4). An answer
    to it confirms as well: its Reply-To carries the token.
    """
    token = secrets.tokens.issue(Purpose.CONFIRM, subscription.id, at=now)
    letter = templates.letter(
        "confirmation",
        language=newsletter.language,
        context={
            "newsletter": newsletter,
            "theme": read_theme(newsletter.theme, direction=newsletter.direction),
            "confirm_url": site.confirm_url(token),
            "takes_mail": site.takes_mail,
        },
    )
    assert reader.address is not None, "an erased reader is not found by address"
    return NewNotice(
        kind=NoticeKind.CONFIRMATION,
        address=reader.address,
        sender=Sender(
            name=newsletter.sender.name,
            address=newsletter.sender.address,
            reply_to=site.confirm_address(token),
        ),
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        language=newsletter.language,
        headers=_AUTOMATIC,
        newsletter_id=newsletter.id,
        subscriber_id=reader.id,
    )


def write_welcome(
    reader: Subscriber,
    subscription: Subscription,
    *,
    newsletter: Newsletter,
    latest: Sample | None,
    site: Site,
    secrets: Secrets,
    templates: Templates,
) -> NewNotice:
    """Write the letter that says it worked, once per opt-in, with all list fields."""
    leave = secrets.tokens.issue(Purpose.UNSUBSCRIBE, subscription.id)
    preferences = secrets.tokens.issue(Purpose.PREFERENCES, subscription.id)
    letter = templates.letter(
        "welcome",
        language=newsletter.language,
        context={
            "newsletter": newsletter,
            "theme": read_theme(newsletter.theme, direction=newsletter.direction),
            "unsubscribe_url": site.unsubscribe_url(leave),
            "preferences_url": site.preferences_url(preferences),
            "latest": latest,
            "direction_of": partial(direction_of, base=newsletter.direction),
            "archive_url": site.page("/archive", newsletter.slug),
            "privacy_url": site.page("/privacy", newsletter.slug),
        },
    )
    assert reader.address is not None, "an erased reader cannot confirm"
    assert subscription.confirmed_at is not None, "the subscription is active"
    opted_in = int(subscription.confirmed_at.timestamp())
    return NewNotice(
        kind=NoticeKind.WELCOME,
        address=reader.address,
        sender=newsletter.sender,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        language=newsletter.language,
        headers={**list_headers(newsletter, site, leave), **_AUTOMATIC},
        newsletter_id=newsletter.id,
        subscriber_id=reader.id,
        dedupe_key=f"welcome:{subscription.id}:{opted_in}",
    )
