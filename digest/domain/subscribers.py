"""A reader: an address, what it agreed to, and what stops mail to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digest.domain.errors import RefusedError, StateError
from digest.domain.newsletters import Newsletter
from digest.domain.states import (
    SUBSCRIPTION_MOVES,
    SubscriptionState,
    SuppressionReason,
)


class LetterFormat(StrEnum):
    """What sort of letter a reader asked for."""

    HTML = "html"  # both parts, HTML preferred
    TEXT = "text"  # plain text only


# The detail of a suppression by request: not even a confirmation is mailed on the word
# of whoever types the address into a form.
NEVER = "not me, never write"


class ConsentAction(StrEnum):
    """What a row of consent evidence says happened (GDPR Art. 7(1))."""

    REQUESTED = "requested"  # somebody typed the address; a confirmation was mailed
    CONFIRMED = "confirmed"  # the holder of the address pressed the button
    IMPORTED = "imported"  # came with a list, with its own proof
    RECORDED = "recorded"  # an operator entered it, with the words agreed to
    WITHDRAWN = "withdrawn"  # the reader left (Art. 7(3))
    DECLINED = "declined"  # the holder of the address had not asked, and said so


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a reader's decision came from: the evidence beside its time.

    Attributes:
        source: The form's address, a file's name, `mail`, `cli`.
        network: The client's network address, or empty.
        wording: Exactly the words that were agreed to, or empty on leaving.
    """

    source: str
    network: str = ""
    wording: str = ""


@dataclass(frozen=True, kw_only=True)
class Subscriber:
    """A stored reader.

    Attributes:
        id: Row id.
        address: As written to; None once erased.
        address_hash: Keyed hash, `Secrets.hash_address`.
        name: As given; may be empty.
        created_at: When first seen.
        erased_at: When the record was erased, if it was.
    """

    id: int
    address: str | None
    address_hash: str
    name: str
    created_at: datetime
    erased_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """What one reader gets of one newsletter.

    Attributes:
        id: Row id; links carry it signed.
        subscriber_id: The reader.
        newsletter_id: The newsletter.
        state: What was agreed.
        sections: Chosen section slugs, sorted; empty: all.
        format: HTML or text.
        since: When the present state began.
        confirmed_at: When the reader last opted in.
        paused_until: The end of a pause.
    """

    id: int
    subscriber_id: int
    newsletter_id: int
    state: SubscriptionState
    sections: tuple[str, ...]
    format: LetterFormat
    since: datetime
    confirmed_at: datetime | None
    paused_until: datetime | None


@dataclass(frozen=True, kw_only=True)
class Consent:
    """One row of consent evidence.

    Attributes:
        at: When it happened.
        newsletter_id: For which newsletter; None: all.
        action: What happened.
        origin: Where from, and which words.
        actor: Who brought it about, as the audit spells it.
    """

    at: datetime
    newsletter_id: int | None
    action: ConsentAction
    origin: Origin
    actor: str


@dataclass(frozen=True, kw_only=True)
class Suppression:
    """Why an address is never written to.

    Attributes:
        address_hash: Keyed hash of the address.
        address: None once erased.
        reason: Why.
        detail: An SMTP reply, an operator's words.
        at: Since when.
    """

    address_hash: str
    address: str | None
    reason: SuppressionReason
    detail: str
    at: datetime


# A suppression is replaced only by a stronger one: what a reader may lift alone is
# weakest, a complaint outlives every later fact.
_STRENGTH: Mapping[SuppressionReason, int] = {
    SuppressionReason.REQUEST: 0,
    SuppressionReason.BOUNCE: 1,
    SuppressionReason.MANUAL: 2,
    SuppressionReason.COMPLAINT: 3,
}


def is_stronger(new: SuppressionReason, old: SuppressionReason) -> bool:
    """Tell whether `new` replaces `old` on the suppression list."""
    return _STRENGTH[new] > _STRENGTH[old]


def check_subscription_move(
    before: SubscriptionState, after: SubscriptionState
) -> None:
    """Refuse a move the table does not allow.

    Raises:
        StateError: The subscription cannot go from `before` to `after`.
    """
    if after not in SUBSCRIPTION_MOVES[before]:
        allowed = ", ".join(sorted(SUBSCRIPTION_MOVES[before]))
        raise StateError(
            f"The subscription is {before} and cannot become {after}.",
            f"From {before} it can become: {allowed}.",
        )


def pick_sections(newsletter: Newsletter, chosen: tuple[str, ...]) -> tuple[str, ...]:
    """Bring chosen sections into the form they are stored in.

    Returns:
        Sorted slugs; empty where none or all were chosen: the reader gets
        everything, also sections that are added later.

    Raises:
        RefusedError: The newsletter has no such section.
    """
    known = {section.slug for section in newsletter.sections}
    unknown = sorted(set(chosen) - known)
    if unknown:
        raise RefusedError(
            f"There is no section {unknown[0]!r}.",
            f"Known: {', '.join(sorted(known))}.",
        )
    return () if set(chosen) == known else tuple(sorted(set(chosen)))


def mask_address(address: str) -> str:
    """Hide most of an address: enough to recognise one's own."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}" if local else ""
