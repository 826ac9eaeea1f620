"""The letters about a reader's data: a link, a question, a word of warning."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from digest.domain.letters import NewNotice, NoticeKind
from digest.domain.newsletters import Newsletter
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.domain.subscribers import Subscriber, Subscription, mask_address
from digest.domain.theme import read_theme
from digest.domain.tokens import Purpose
from digest.templating import Templates

_AUTOMATIC = {"Auto-Submitted": "auto-generated"}  # RFC 3834 §5


def write_rights(
    reader: Subscriber,
    held: Subscription,
    *,
    newsletter: Newsletter,
    site: Site,
    secrets: Secrets,
    templates: Templates,
    now: datetime,
) -> NewNotice:
    """Write the letter with the link to the reader's data."""
    token = secrets.tokens.issue(Purpose.RIGHTS, held.id, at=now)
    assert reader.address is not None, "an erased reader has no data"
    return _write(
        NoticeKind.RIGHTS,
        reader.address,
        reader=reader,
        newsletter=newsletter,
        templates=templates,
        rights_url=site.rights_url(token),
    )


def write_question(
    reader: Subscriber,
    *,
    change_id: int,
    address: str,
    newsletter: Newsletter,
    names: Sequence[str],
    site: Site,
    secrets: Secrets,
    templates: Templates,
    now: datetime,
) -> NewNotice:
    """Ask the holder of a new address; nothing in it was typed into a form.

    Args:
        reader: Who wants to move.
        change_id: The change's row id.
        address: The new address.
        newsletter: Whose language is spoken.
        names: Of the newsletters that would go there.
        site: For the link.
        secrets: For its token.
        templates: For the letter.
        now: When.
    """
    token = secrets.tokens.issue(Purpose.MOVE, change_id, at=now)
    return _write(
        NoticeKind.NEW_ADDRESS,
        address,
        reader=reader,
        newsletter=newsletter,
        templates=templates,
        names=names,
        agree_url=site.new_address_url(token),
    )


def write_moved(
    reader: Subscriber,
    *,
    change_id: int,
    to: str,
    newsletter: Newsletter,
    templates: Templates,
) -> NewNotice:
    """Tell the old address, so that a change nobody there wanted is noticed.

    Args:
        reader: As before the change.
        change_id: The change's row id.
        to: The new address; shown masked.
        newsletter: Whose language is spoken.
        templates: For the letter.
    """
    assert reader.address is not None, "an erased reader does not move"
    return _write(
        NoticeKind.MOVED,
        reader.address,
        reader=reader,
        newsletter=newsletter,
        templates=templates,
        dedupe_key=f"moved:{change_id}",
        masked=mask_address(to),
    )


def _write(
    kind: NoticeKind,
    address: str,
    *,
    reader: Subscriber,
    newsletter: Newsletter,
    templates: Templates,
    dedupe_key: str | None = None,
    **context: Any,
) -> NewNotice:
    shared = {
        "newsletter": newsletter,
        "theme": read_theme(newsletter.theme, direction=newsletter.direction),
    }
    letter = templates.letter(
        kind, language=newsletter.language, context=shared | context
    )
    return NewNotice(
        kind=kind,
        address=address,
        sender=newsletter.sender,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        language=newsletter.language,
        headers=_AUTOMATIC,
        newsletter_id=newsletter.id,
        subscriber_id=reader.id,
        dedupe_key=dedupe_key,
    )
