"""An envelope, held against what a server offers before anything is said to it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from digest.mail.outcomes import Refused
from digest.mail.reply import Reply

# What would end the path or the command line (RFC 5321 §4.1.2), or fool a log.
_PATH = re.compile(r"[^\s<>\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]*")

_SLICE = 65536  # octets
_MOST_SIZE_DIGITS = 20  # RFC 1870 §3


@dataclass(frozen=True)
class Envelope:
    """A letter and where it goes.

    Attributes:
        sender: The envelope sender; empty: the null sender.
        recipient: The one recipient.
        message: The letter with CRLF line endings, not dot-stuffed.
        is_canonical: It was made of checked parts and is known to be ASCII, to hold
            no bare CR, LF or NUL, and no line that starts with a dot.
    """

    sender: str
    recipient: str
    message: bytes
    is_canonical: bool = False

    @property
    def needs_smtputf8(self) -> bool:
        """Whether an address is not ASCII (RFC 6531 §3.1)."""
        return not (self.sender.isascii() and self.recipient.isascii())

    @property
    def is_8bit(self) -> bool:
        """Whether the letter is not ASCII (RFC 6152 §2)."""
        return not (self.is_canonical or self.message.isascii())


def refuse_locally(
    envelope: Envelope, extensions: Mapping[str, str]
) -> Iterator[Refused]:
    """Find what this server would not or should not take.

    Args:
        envelope: The letter.
        extensions: EHLO's keywords, lower case, with their parameters.

    Returns:
        The refusals the server would give, with codes of RFC 5248; none where the
        letter may go.
    """
    message = envelope.message
    if not envelope.recipient or not _PATH.fullmatch(envelope.recipient):
        yield Refused(Reply(553, "5.1.3", "That is no recipient"), "rcpt")
    if not _PATH.fullmatch(envelope.sender):
        yield Refused(Reply(553, "5.1.7", "That is no sender"), "mail")
    if not (envelope.is_canonical or _is_well_formed(message)):
        yield Refused(Reply(554, "5.6.0", "Bare CR or LF, or NUL, in it"), "data")
    if envelope.needs_smtputf8:
        if "smtputf8" not in extensions:
            yield Refused(Reply(553, "5.6.7", "The relay has no SMTPUTF8"), "rcpt")
    elif envelope.is_8bit and "8bitmime" not in extensions:
        yield Refused(Reply(554, "5.6.3", "The relay has no 8BITMIME"), "data")
    if len(message) > _size_limit(extensions):
        yield Refused(Reply(552, "5.3.4", "Larger than the relay takes"), "mail")


def commands(
    envelope: Envelope, extensions: Mapping[str, str]
) -> tuple[bytes, bytes, bytes]:
    """Write MAIL, with what this letter needs and the server offers, RCPT and DATA."""
    parameters = [f"MAIL FROM:<{envelope.sender}>"]
    if "size" in extensions:
        parameters.append(f"SIZE={len(envelope.message)}")  # RFC 1870 §3
    if envelope.is_8bit:
        parameters.append("BODY=8BITMIME")  # RFC 6152 §2
    if envelope.needs_smtputf8:
        parameters.append("SMTPUTF8")  # RFC 6531 §3.4
    mail = " ".join(parameters)
    return (
        f"{mail}\r\n".encode(),
        f"RCPT TO:<{envelope.recipient}>\r\n".encode(),
        b"DATA\r\n",
    )


def stuff(message: bytes) -> bytes:
    """Double the dots at lines' starts (RFC 5321 §4.5.2)."""
    stuffed = message.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def slices(envelope: Envelope) -> list[bytes]:
    """Cut a letter, its dots doubled; one of the usual size stays whole."""
    message = envelope.message
    stuffed = message if envelope.is_canonical else stuff(message)
    if len(stuffed) <= _SLICE:
        return [stuffed]
    starts = range(0, len(stuffed), _SLICE)
    return [stuffed[start : start + _SLICE] for start in starts]


def has_bare_line_end(octets: bytes) -> bool:
    """Tell whether a CR or LF stands alone (RFC 5321 §2.3.8).

    Counting is many times quicker than a pattern.
    """
    lines = octets.count(b"\r\n")
    return octets.count(b"\r") != lines or octets.count(b"\n") != lines


def _is_well_formed(message: bytes) -> bool:
    return (
        message.endswith(b"\r\n")
        and not has_bare_line_end(message)
        and b"\0" not in message
    )


def _size_limit(extensions: Mapping[str, str]) -> float:
    """RFC 1870 §4: nothing or 0 means no fixed limit."""
    limit = extensions.get("size", "")
    is_number = limit.isdecimal() and len(limit) <= _MOST_SIZE_DIGITS
    return int(limit) if is_number and int(limit) else float("inf")
