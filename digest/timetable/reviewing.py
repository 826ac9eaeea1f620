"""Whom a link of the desk's mail lets in, and to what."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digest.domain.actor import Actor, ActorKind
from digest.domain.editions import Edition
from digest.domain.newsletters import Newsletter
from digest.domain.reviews import Review
from digest.domain.secrets import Secrets
from digest.domain.tokens import Purpose
from digest.storage import desk, editions, newsletters
from digest.storage.engine import Database
from digest.timetable.timing import Timing, timing_of


class Door(StrEnum):
    """What a link opens."""

    OPEN = "open"  # its holder may settle the edition
    EXPIRED = "expired"  # one of ours whose time is over
    UNKNOWN = "unknown"  # not one of ours, or its holder has left the desk


@dataclass(frozen=True, kw_only=True)
class Access:
    """Who stands at the door, and of which edition.

    Attributes:
        door: Whether they may come in.
        review: Whose link it is; None where the door is unknown.
        edition: The edition, likewise.
        newsletter: Its newsletter, likewise.
        timing: When it goes, likewise.
        changed: Who changed it last, and when.
    """

    door: Door
    review: Review | None = None
    edition: Edition | None = None
    newsletter: Newsletter | None = None
    timing: Timing | None = None
    changed: tuple[str, datetime] | None = None

    @property
    def actor(self) -> Actor:
        """Whom the audit log names."""
        assert self.review is not None, "nobody acts without a link of ours"
        return Actor(kind=ActorKind.OPERATOR, name=self.review.address)


def enter(db: Database, *, token: str, secrets: Secrets, now: datetime) -> Access:
    """Read a link, and what it is about.

    Args:
        db: The database.
        token: What stood in the path.
        secrets: Keys of tokens.
        now: The present.
    """
    read = secrets.tokens.read(Purpose.REVIEW, token, now=now)
    if read is None or read.issued_at is None:
        return Access(door=Door.UNKNOWN)
    with db.read() as tx:
        review = desk.find_review(tx, read.row_id)
        if review is None:
            return Access(door=Door.UNKNOWN)
        edition = editions.get(tx, review.edition_id)
        newsletter = newsletters.get_by_id(tx, edition.newsletter_id)
        if review.address not in newsletter.desk_addresses:
            return Access(door=Door.UNKNOWN)
        acts = review.is_open(issued_at=read.issued_at, now=now) and not read.expired
        return Access(
            door=Door.OPEN if acts else Door.EXPIRED,
            review=review,
            edition=edition,
            newsletter=newsletter,
            timing=timing_of(tx, edition, newsletter),
            changed=desk.last_change(tx, edition.id),
        )
