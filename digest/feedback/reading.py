"""Read one message: what it is, what it asks for, and who may be answered."""

import re
from dataclasses import dataclass

from digest.domain.addresses import EmailAddress
from digest.domain.own_mail import MessageKind, Post
from digest.feedback import automatic
from digest.feedback.wishes import Wish, find_wish
from digest.mail import words
from digest.mail.incoming import ExcessError, Part, parse

_MESSAGE_ID = re.compile(rb"<[!-;=?-~]{3,200}>")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a message says.

    Attributes:
        kind: What it is.
        why: By what that was seen; one line for an operator.
        wish: What its first words ask for.
        author: The address in From; None where it is not beyond doubt.
        message_id: With its angle brackets; empty where there is none to repeat.
        subject: Decoded, one line; for a person's eyes only.
        text: The start of its own text; for a person's eyes only.
        is_loop: It must never be answered nor passed on.
        is_readable: It is within the limits.
    """

    kind: MessageKind
    why: str = ""
    wish: Wish | None = None
    author: EmailAddress | None = None
    message_id: str = ""
    subject: str = ""
    text: str = ""
    is_loop: bool = False
    is_readable: bool = True


def read(raw: bytes, *, sender: str, post: Post, mail_domain: str) -> Reading:
    """Say what a message is; any octets have an answer.

    Args:
        raw: As it came.
        sender: The envelope sender; empty: the null sender.
        post: What the address is for that it came to.
        mail_domain: Ours.
    """
    try:
        message = parse(raw)
    except ExcessError as error:
        return Reading(
            kind=MessageKind.OTHER, why=f"Not read: {error}.", is_readable=False
        )
    loop = automatic.find_loop(message, mail_domain=mail_domain)
    subject = " ".join(words.decode_field(message.first("subject")).split())
    text = words.read_text(message)
    author = words.read_sender(message)
    kind, why = _find_kind(message, author, sender=sender, post=post)
    return Reading(
        kind=kind,
        why=loop or why,
        wish=find_wish(subject, text, post),
        author=author,
        message_id=_find_message_id(message),
        subject=subject,
        text=text,
        is_loop=loop is not None,
    )


def _find_kind(
    message: Part, author: EmailAddress | None, *, sender: str, post: Post
) -> tuple[MessageKind, str]:
    report = _find_report(message)
    if report is not None:
        return report
    robot = automatic.find_robot(message, author=author, sender=sender)
    if robot is not None:
        return MessageKind.AUTO_REPLY, robot
    if post is Post.CONFIRM:
        return MessageKind.CONFIRMATION, "A person answered a confirmation letter."
    if post in {Post.SUBSCRIBE, Post.UNSUBSCRIBE, Post.LEAVE}:
        return MessageKind.COMMAND, ""
    return MessageKind.OTHER, ""


def _find_report(message: Part) -> tuple[MessageKind, str] | None:
    """Recognise reports by their form alone (RFC 6522 §3)."""
    if message.content_type != "multipart/report":
        return None
    kinds = {part.content_type for part in message.parts}
    said = message.parameters.get("report-type", "").lower()
    # RFC 5965 §2: both the parameter and the part
    if said == "feedback-report" or "message/feedback-report" in kinds:
        return MessageKind.COMPLAINT, "A report about a letter (RFC 5965)."
    # RFC 3464 §2, RFC 6533 §3
    if said == "delivery-status" or kinds & {
        "message/delivery-status",
        "message/global-delivery-status",
    }:
        return MessageKind.BOUNCE, "A report about a delivery (RFC 3464)."
    return None


def _find_message_id(message: Part) -> str:
    """Return an id that can stand in an answer, unless there is any doubt."""
    values = message.all("message-id")
    if len(values) != 1 or not _MESSAGE_ID.fullmatch(values[0]):
        return ""
    return values[0].decode("ascii")
