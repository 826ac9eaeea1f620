"""What only the holder of an address may do: see their data, move it, delete it.

Letters get forwarded with their links, so the link in an edition opens none of this. It
has another one mailed to the address on file, which works for an hour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from digest.domain.actor import Actor
from digest.domain.letters import NoticeKind
from digest.domain.newsletters import Newsletter
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.domain.states import SuppressionReason
from digest.domain.subscribers import Subscriber, Subscription
from digest.domain.tokens import Purpose
from digest.storage import (
    address_changes,
    audit,
    newsletters,
    notices,
    subscribers,
    subscriptions,
    suppressions,
)
from digest.storage.engine import Database, Tx
from digest.subscriptions import erase
from digest.subscriptions.dossier import (
    show_consent,
    show_letters,
    show_subscriptions,
)
from digest.subscriptions.rights_letters import write_rights
from digest.templating import Templates

DAY = timedelta(days=1)
MOST_LINKS = 3  # a day


class Door(StrEnum):
    """How a link to a reader's data stands."""

    OPEN = "open"  # for an hour after it was mailed
    EXPIRED = "expired"  # too old, or mailed to an earlier address: offer a new one
    UNKNOWN = "unknown"  # not a link of ours, or the reader's record was erased


@dataclass(frozen=True, kw_only=True)
class Access:
    """What a link to a reader's data opens.

    Attributes:
        door: Whether it is open.
        newsletter: In whose language; None for an unknown link.
        reader: Whose data; None unless the door is open.
        subscription: Whose letter the first link stood in; None for an unknown link.
    """

    door: Door
    newsletter: Newsletter | None = None
    reader: Subscriber | None = None
    subscription: Subscription | None = None


def mail_link(
    db: Database,
    *,
    subscription_id: int,
    site: Site,
    secrets: Secrets,
    templates: Templates,
    actor: Actor,
    now: datetime,
) -> bool:
    """Mail a fresh link to the address on file.

    Args:
        db: The database.
        subscription_id: From a token that was read; anybody may hold it.
        site: For the link.
        secrets: For its token.
        templates: For the letter.
        actor: Who asks.
        now: When.

    Returns:
        Whether a letter was mailed: not to a suppressed address, and at most
        `MOST_LINKS` a day. Pages say the same either way.
    """
    with db.write() as tx:
        held = subscriptions.get(tx, subscription_id)
        reader = None if held is None else subscribers.lock(tx, held.subscriber_id)
        if held is None or reader is None or reader.address is None:
            return False
        if _is_barred(tx, reader) or _asked_too_often(tx, reader, now):
            return False
        letter = write_rights(
            reader,
            held,
            newsletter=newsletters.get_by_id(tx, held.newsletter_id),
            site=site,
            secrets=secrets,
            templates=templates,
            now=now,
        )
        notices.add(tx, letter, now=now)
        audit.record(
            tx,
            actor=actor,
            action="subscriber.link_asked",
            subject=("subscriber", reader.id),
            now=now,
        )
        return True


def look(db: Database, *, token: str, secrets: Secrets, now: datetime) -> Access:
    """Say what a link opens, changing nothing."""
    with db.read() as tx:
        return open_door(tx, token, secrets=secrets, now=now)


def open_door(tx: Tx, text: str, *, secrets: Secrets, now: datetime) -> Access:
    """Read a link's token within a transaction."""
    token = secrets.tokens.read(Purpose.RIGHTS, text, now=now)
    held = None if token is None else subscriptions.get(tx, token.row_id)
    reader = None if held is None else subscribers.get(tx, held.subscriber_id)
    if token is None or held is None or reader is None or reader.address is None:
        return Access(door=Door.UNKNOWN)
    newsletter = newsletters.get_by_id(tx, held.newsletter_id)
    assert token.issued_at is not None, "tokens of this purpose expire"
    moved_at = address_changes.last_agreed(tx, reader.id)
    # A token tells whole seconds.
    is_old_address = moved_at is not None and token.issued_at <= moved_at
    if token.expired or is_old_address:
        return Access(door=Door.EXPIRED, newsletter=newsletter, subscription=held)
    return Access(
        door=Door.OPEN, newsletter=newsletter, reader=reader, subscription=held
    )


def export(
    db: Database, *, token: str, secrets: Secrets, now: datetime
) -> Mapping[str, Any] | None:
    """Gather what is stored about a reader (GDPR Art. 15 and 20), as plain values."""
    with db.read() as tx:
        reader = open_door(tx, token, secrets=secrets, now=now).reader
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
            "letters": show_letters(tx, reader),
        }


def delete(
    db: Database, *, token: str, secrets: Secrets, actor: Actor, now: datetime
) -> bool:
    """Erase the reader (GDPR Art. 17).

    Returns:
        Whether it was done; False for a link that is not open.
    """
    reader = look(db, token=token, secrets=secrets, now=now).reader
    if reader is None:
        return False
    return erase.erase(
        db, subscriber_id=reader.id, secrets=secrets, actor=actor, now=now
    )


def _is_barred(tx: Tx, reader: Subscriber) -> bool:
    found = suppressions.find(tx, reader.address_hash)
    return found is not None and found.reason is not SuppressionReason.REQUEST


def _asked_too_often(tx: Tx, reader: Subscriber, now: datetime) -> bool:
    mailed = notices.count_since(
        tx, subscriber_id=reader.id, kind=NoticeKind.RIGHTS, since=now - DAY
    )
    return mailed >= MOST_LINKS
