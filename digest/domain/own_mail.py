"""The addresses that we answer to, and what was written to one of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Post(StrEnum):
    """What an address of ours is for."""

    SUBSCRIBE = "subscribe"  # starts a double opt-in; the tag names a newsletter
    UNSUBSCRIBE = "unsubscribe"  # starts a confirmed leave
    LEAVE = "leave"  # unsubscribe+TOKEN: leaves at once
    CONFIRM = "confirm"  # confirm+TOKEN: the Reply-To of a confirmation letter
    BOUNCES = "bounces"  # bounces+TOKEN: the envelope sender of every letter
    COMPLAINTS = "complaints"  # reports by mailbox providers (RFC 5965)
    OPERATOR = "operator"  # postmaster, abuse: a person reads it (RFC 2142)


class MessageKind(StrEnum):
    """What a message is, by its form and by where it came in."""

    COMMAND = "command"  # somebody asks for something
    CONFIRMATION = "confirmation"  # somebody answered a confirmation letter
    AUTO_REPLY = "auto-reply"  # a program answered (RFC 3834)
    BOUNCE = "bounce"  # a report about a delivery (RFC 3464)
    COMPLAINT = "complaint"  # a report about a letter (RFC 5965)
    OTHER = "other"  # none of these


class InboxState(StrEnum):
    """Where a message is that was taken."""

    RECEIVED = "received"  # kept, not yet acted upon
    DONE = "done"  # acted upon, or nothing was to do; forgotten after some days
    QUARANTINED = "quarantined"  # kept whole until an operator deletes it


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """An address of ours.

    Attributes:
        post: What it is for.
        tag: A token, a newsletter's name, or empty.
    """

    post: Post
    tag: str = ""


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A message as it was taken.

    Attributes:
        id: Row id.
        received_at: When.
        sender: The envelope sender; empty: the null sender (RFC 5321 §4.5.5).
        recipient: The one address of ours it was for, lower case.
        raw: Exactly the octets that came.
        tries: How often acting upon it was begun.
    """

    id: int
    received_at: datetime
    sender: str
    recipient: str
    raw: bytes
    tries: int


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a message.

    Attributes:
        state: Done or quarantined.
        kind: What it is.
        why: One line for the operator, none of it from the message.
    """

    state: InboxState
    kind: MessageKind
    why: str


OPERATOR_NAMES = ("postmaster", "abuse")

_TOKEN = re.compile(r"[a-z2-7]{37,44}")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_PLAIN: Mapping[str, Post] = {
    "subscribe": Post.SUBSCRIBE,
    "unsubscribe": Post.UNSUBSCRIBE,
    "complaints": Post.COMPLAINTS,
    **dict.fromkeys(OPERATOR_NAMES, Post.OPERATOR),
}
_TAGGED: Mapping[str, tuple[Post, re.Pattern[str]]] = {
    "subscribe": (Post.SUBSCRIBE, _SLUG),
    "unsubscribe": (Post.LEAVE, _TOKEN),
    "confirm": (Post.CONFIRM, _TOKEN),
    "bounces": (Post.BOUNCES, _TOKEN),
}


def read_recipient(address: str, *, mail_domain: str) -> Recipient | None:
    """Say what an address of ours is for, by its form alone.

    Whether a token is genuine is not asked here: the answer to a stranger would tell.

    Args:
        address: From RCPT TO, any case.
        mail_domain: Ours, lower case.

    Returns:
        None where it is no address of ours.
    """
    local, _, domain = address.lower().rpartition("@")
    if domain.rstrip(".") != mail_domain:
        return None
    name, plus, tag = local.partition("+")
    if not plus:
        post = _PLAIN.get(name)
        return None if post is None else Recipient(post=post)
    known = _TAGGED.get(name)
    if known is None or not known[1].fullmatch(tag):
        return None
    return Recipient(post=known[0], tag=tag)
