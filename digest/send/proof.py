"""A proof: an edition's test letter, to somebody at the desk."""

from datetime import datetime
from html import escape

from digest.domain.actor import Actor
from digest.domain.addresses import EmailAddress
from digest.domain.editions import Edition, Variant
from digest.domain.errors import StateError
from digest.domain.issue import local_date, write_date
from digest.domain.letters import NewNotice, NoticeKind
from digest.domain.list_headers import list_headers
from digest.domain.newsletters import Newsletter
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.domain.slots import Slot, split
from digest.domain.theme import read_theme
from digest.domain.tokens import Purpose
from digest.storage import audit, embargoes, notices
from digest.storage.engine import Database, Tx

NOBODY = 0
"""No row has this id: links in a proof are genuine and act on nobody."""


def send(
    db: Database,
    *,
    edition: Edition,
    newsletter: Newsletter,
    variant: Variant,
    address: EmailAddress,
    site: Site,
    secrets: Secrets,
    actor: Actor,
    now: datetime,
) -> int:
    """Queue a proof; it is a notice, and counted nowhere.

    Args:
        db: The database.
        edition: The edition, in any state.
        newsletter: Its newsletter.
        variant: A rendering of it with slots.
        address: Who gets it.
        site: The public addresses.
        secrets: Keys of tokens.
        actor: Who asked.
        now: The present.

    Returns:
        The notice's id.

    Raises:
        StateError: A story is under embargo, and the address is not the desk's.
    """
    tokens = secrets.tokens
    leave = tokens.issue(Purpose.UNSUBSCRIBE, NOBODY)
    theme = read_theme(newsletter.theme, direction=newsletter.direction)
    today = local_date(now, newsletter.time_zone)
    values = {
        Slot.UNSUBSCRIBE_TOKEN: leave,
        Slot.PREFERENCES_TOKEN: tokens.issue(Purpose.PREFERENCES, NOBODY),
        Slot.ADDRESS: address.address,
        Slot.CONFIRMED_ON: write_date(
            today, language=newsletter.language, digits=theme.digits
        ),
    }
    escaped = {slot: escape(value) for slot, value in values.items()}
    html = variant.html
    notice = NewNotice(
        kind=NoticeKind.TEST,
        address=address.address,
        sender=newsletter.sender,
        subject=f"[TEST] {variant.subject}",
        text=_fill(variant.text, values),
        html=_fill(html, escaped) if html is not None else None,
        language=newsletter.language,
        headers=list_headers(newsletter, site, leave),
        newsletter_id=newsletter.id,
    )
    with db.write() as tx:
        _require_no_embargo(tx, edition, newsletter, address, now=now)
        notice_id = notices.add(tx, notice, now=now)
        audit.record(
            tx,
            actor=actor,
            action="edition.tested",
            subject=("edition", edition.id),
            now=now,
            detail={"notice": notice_id},
        )
    return notice_id


def _require_no_embargo(
    tx: Tx,
    edition: Edition,
    newsletter: Newsletter,
    address: EmailAddress,
    *,
    now: datetime,
) -> None:
    """Let nobody but the desk see what may not be seen yet."""
    held = embargoes.of_edition(tx, edition.id, at=now)
    ours = {newsletter.sender.reply_to, *newsletter.desk_addresses}
    if held and address.address.casefold() not in {a.casefold() for a in ours}:
        raise StateError(
            f"Article {held[0].article_id} is under embargo until "
            f"{held[0].until:%Y-%m-%d %H:%M} UTC: only the desk gets a test of it.",
            f"Send it to {newsletter.sender.reply_to}, or wait.",
        )


def _fill(rendering: str, values: dict[Slot, str]) -> str:
    return "".join(
        values[piece] if isinstance(piece, Slot) else piece
        for piece in split(rendering)
    )
