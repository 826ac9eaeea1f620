"""Letters on their way: what a worker holds, and what it writes into the ledger.

Deliveries (an edition's letters) and notices (all others) share these words.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from digest.domain import macs
from digest.domain.letters import NewNotice
from digest.domain.states import DeliveryState


class LetterKind(StrEnum):
    """Which table a letter is a row of."""

    DELIVERY = "delivery"  # an edition's letter to one reader; leased by the chunk
    NOTICE = "notice"  # any other letter; leased by itself


class UncertainPolicy(StrEnum):
    """What becomes of a letter whose answer was lost (RFC 1047)."""

    HOLD = "hold"  # an operator decides
    RESEND = "resend"  # once more, with the same Message-ID and bytes


class Permit(StrEnum):
    """The ledger's answer to "may this letter's text be handed over now?"."""

    GRANTED = "granted"  # it is `dispatching`, durably
    BARRED = "barred"  # its reader left or is suppressed: `skipped`, durably
    # The edition was paused or cancelled meanwhile; a result is written all the same.
    CLOSED = "closed"
    LOST = "lost"  # another worker took the lease over


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to work on a chunk of deliveries, or on one notice.

    Attributes:
        kind: Which.
        row_id: The chunk's or the notice's row.
        fence: The number of this claim; an older number may write nothing.
    """

    kind: LetterKind
    row_id: int
    fence: int


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One edition's letter to one reader, as a worker needs it.

    Attributes:
        id: Row id.
        edition_id: Its edition.
        subscription_id: What its unsubscribe link ends.
        variant_id: The rendering it is made from.
        address: The recipient; None once erased.
        confirmed_on: Local date of the reader's consent.
        key_id: The key that signs its tokens.
        state: Where it is.
        attempts: Tries so far.
        refusals: Temporary refusals so far.
        first_attempt_at: The first try, if there was one.
        dated_at: Its Date field, once a try fixed it.
    """

    id: int
    edition_id: int
    subscription_id: int
    variant_id: int
    address: str | None
    confirmed_on: date
    key_id: int
    state: DeliveryState
    attempts: int
    refusals: int
    first_attempt_at: datetime | None
    dated_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Notice(NewNotice):
    """A stored notice, as a worker needs it.

    Attributes:
        id: Row id.
        lease: The worker's right to it.
        attempts: Tries so far.
        refusals: Temporary refusals so far.
        first_attempt_at: The first try, if there was one.
        dated_at: Its Date field, once a try fixed it.
    """

    id: int
    lease: Lease
    attempts: int
    refusals: int
    first_attempt_at: datetime | None
    dated_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Intent:
    """A letter is about to be handed over.

    Attributes:
        lease: The right under which.
        letter_id: The delivery's or notice's row.
        at: The present.
        dated_at: Its Date field.
    """

    lease: Lease
    letter_id: int
    at: datetime
    dated_at: datetime


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one try, or why there was none.

    Attributes:
        lease: The right under which.
        letter_id: The delivery's or notice's row.
        at: When.
        state: Sent, deferred, failed, uncertain or skipped.
        intended: Whether an intent of this try was recorded before.
        reason: For people; None for sent.
        next_attempt_at: For deferred.
        smtp_code: The server's code, where it answered.
        smtp_text: Its words.
        refused: The server said no in so many words, so that the next try may
            carry a new Date (design rule 4).
        tried: Whether a server was asked at all.
        policy: Where it was refused on account of the sender: `550 5.7.1`.
    """

    lease: Lease
    letter_id: int
    at: datetime
    state: DeliveryState
    intended: bool = False
    reason: str | None = None
    next_attempt_at: datetime | None = None
    smtp_code: int | None = None
    smtp_text: str = ""
    refused: bool = False
    tried: bool = True
    policy: str | None = None


def message_id(
    kind: LetterKind, letter_id: int, *, group: int, key: bytes, domain: str
) -> str:
    """Name a letter for ever: the same over all its tries (RFC 5322 §3.6.4).

    Args:
        kind: Delivery or notice.
        letter_id: Its row.
        group: Its edition; 0 for a notice.
        key: `Secrets.address_key`, which is never rotated. The digest keeps two
            installations of one domain apart and cannot be foretold.
        domain: The right-hand side.

    Returns:
        `<row.group.digest@domain>`
    """
    name = f"{letter_id}.{group}"
    text = f"message-id\0{kind}\0{name}".encode("ascii")
    digest = macs.base32(macs.mac(key, text)[:10])
    return f"<{name}.{digest}@{domain}>"


@dataclass(frozen=True, kw_only=True)
class Imprint:
    """What every letter of an edition shares, fixed at its release.

    Attributes:
        edition_id: The edition.
        kind: Weekly or a correction.
        issue_date: Local date, ISO 8601.
        newsletter: The newsletter's slug.
        name: Its name, as readers see it.
        from_name: Display name of From.
        from_address: From.
        reply_to: Where a person reads answers.
        list_id: The identifier of List-Id (RFC 2919).
        language: BCP 47 tag.
        digits: `latn` or `arab`: how dates are written.
        base_url: Start of every link.
        mail_domain: Domain of the envelope sender and of Message-ID.
    """

    edition_id: int
    kind: str
    issue_date: str
    newsletter: str
    name: str
    from_name: str
    from_address: str
    reply_to: str
    list_id: str
    language: str
    digits: str
    base_url: str
    mail_domain: str

    @property
    def slug(self) -> str:
        """The newsletter's, by the name it has in a newsletter."""
        return self.newsletter
