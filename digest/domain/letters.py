"""A letter that is not an edition: confirmation, welcome, test, answers to mail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class NoticeKind(StrEnum):
    """What a notice is for."""

    CONFIRMATION = "confirmation"  # asks for the second opt-in
    WELCOME = "welcome"  # says it worked; carries the list headers
    RIGHTS = "rights"  # opens a reader's data for an hour, at their request
    NEW_ADDRESS = "new-address"  # asks whether letters may go to that address
    MOVED = "moved"  # tells the old address that they go elsewhere now
    DESK_ASK = "desk-ask"  # asks the desk about a draft; its links settle it
    DESK_REMINDER = "desk-reminder"  # asks once more
    DESK_ALERT = "desk-alert"  # tells the desk what keeps an issue from going
    DESK_REPORT = "desk-report"  # tells the desk how an issue went
    TEST = "test"  # an edition's test letter, never counted
    PROBE = "probe"  # `mail test`: one signed letter to an operator
    ANSWER = "answer"  # answers a message; from the null sender (RFC 3834 §3.3)
    FORWARD = "forward"  # tells the operator of a message for postmaster or abuse


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Who a letter is from.

    Attributes:
        name: Display name.
        address: The From address.
        reply_to: Where a person reads answers.
    """

    name: str
    address: str
    reply_to: str


@dataclass(frozen=True, kw_only=True)
class NewNotice:
    """A fully rendered letter, to be put in the queue by the stage that wants it.

    Attributes:
        kind: What it is for.
        address: The one recipient, as it goes into RCPT TO.
        sender: From and Reply-To.
        subject: One line of text.
        text: The plain-text part.
        html: The HTML part; None for a letter of plain text only.
        language: BCP 47 tag for Content-Language.
        headers: Further header fields of this letter (List-* of a welcome).
        newsletter_id: The newsletter it belongs to.
        subscriber_id: The reader it is for, so that erasure finds it.
        dedupe_key: Two notices with one key are one; None: always a new one.
    """

    kind: NoticeKind
    address: str
    sender: Sender
    subject: str
    text: str
    html: str | None = None
    language: str = "en"
    headers: Mapping[str, str] = field(default_factory=dict)
    newsletter_id: int | None = None
    subscriber_id: int | None = None
    dedupe_key: str | None = None
