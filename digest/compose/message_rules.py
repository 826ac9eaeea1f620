"""Preflight rules about the built message: header fields, parts, signature."""

import email.policy
import re
from collections import Counter
from collections.abc import Iterator
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser

from digest.compose.finding import Finding, refuse, warn
from digest.compose.posting import Posting, Signature
from digest.domain.editions import Variant

_FIELDS = (
    *("From", "Reply-To", "To", "Subject", "Date", "Message-ID", "MIME-Version"),
    *("Content-Type", "Content-Language", "List-Id", "List-Unsubscribe"),
    *("List-Unsubscribe-Post", "List-Archive", "List-Help", "List-Post"),
    *("Feedback-ID", "Precedence"),
)
"""Every edition's letter carries each of these once."""

_MANY = frozenset({"dkim-signature", "received"})
_LONGEST_LINE = 998  # RFC 5322 §2.1.1, without its CRLF
_CLIP_OCTETS = 102 * 1024
_LONE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n|\x00")
# RFC 8058 §3.1: one https address, any others not of the web; http only on loopback.
_ONE_CLICK = re.compile(r"<https?://[^<>\s,]+>, ?<mailto:[^<>\s,]+>")
_PRIVATE_USE = re.compile(r"[\ue000\ue001]")


def check_message(
    octets: bytes, variant: Variant, posting: Posting
) -> Iterator[Finding]:
    """Check one message as it would be posted.

    Args:
        octets: Header and body, CRLF line endings.
        variant: What it was written from.
        posting: Says who signs, and verifies.
    """
    head = octets.partition(b"\r\n\r\n")[0]
    message = BytesParser(policy=email.policy.SMTP).parsebytes(octets)
    assert isinstance(message, EmailMessage), "the policy makes one"
    yield from _check_lines(octets)
    yield from _check_fields(head, message, variant)
    yield from _check_one_click(message)
    yield from _check_parts(message, variant)
    yield from _check_signature(octets, message, posting)


def _check_lines(octets: bytes) -> Iterator[Finding]:
    longest = max(map(len, octets.split(b"\r\n")))
    if longest > _LONGEST_LINE:
        yield refuse(
            "line-length", f"A line has {longest} octets; 998 are allowed.", "message"
        )
    if _LONE_END.search(octets):
        yield refuse(
            "line-ends", "A line ends in a way that mail servers refuse.", "message"
        )


def _check_fields(
    head: bytes, message: EmailMessage, variant: Variant
) -> Iterator[Finding]:
    names = re.findall(rb"^([!-9;-~]+):", head, re.MULTILINE)
    counts = Counter(name.decode("ascii").lower() for name in names)
    for name in _FIELDS:
        if not counts[name.lower()]:
            yield refuse("header-missing", f"The field {name} is missing.", name)
    for name, times in counts.items():
        if times > 1 and name not in _MANY:
            yield refuse("header-repeated", f"The field {name} stands twice.", name)
    # RFC 2047, RFC 6532: other octets only by SMTPUTF8, which no list can count on.
    if not head.isascii():
        yield refuse(
            "header-encoding", "A header field holds bare non-ASCII text.", "message"
        )
    if _plain(message["Subject"]) != _plain(variant.subject):
        yield refuse(
            "header-encoding", "The subject does not survive its encoding.", "Subject"
        )


def _plain(text: object) -> str:
    return " ".join(str(text or "").split())


def _check_one_click(message: EmailMessage) -> Iterator[Finding]:
    leave, post = message["List-Unsubscribe"], message["List-Unsubscribe-Post"]
    if leave and not _ONE_CLICK.fullmatch(_plain(leave)):
        yield refuse(
            "one-click",
            "List-Unsubscribe needs a web address and then a mailto.",
            "List-Unsubscribe",
        )
    if post and _plain(post) != "List-Unsubscribe=One-Click":
        yield refuse(
            "one-click",
            "It must say List-Unsubscribe=One-Click (RFC 8058).",
            "List-Unsubscribe-Post",
        )


def _check_parts(message: EmailMessage, variant: Variant) -> Iterator[Finding]:
    parts = [part for part in message.walk() if not part.is_multipart()]
    kinds = [part.get_content_type() for part in parts]
    wanted = ["text/plain", "text/html"] if variant.html is not None else ["text/plain"]
    if kinds != wanted or any(part.is_attachment() for part in parts):
        yield refuse(
            "parts",
            f"The message holds {', '.join(kinds)}, not {' and '.join(wanted)}.",
            "message",
        )
    for part in parts:
        yield from _check_part(part)


def _check_part(part: EmailMessage) -> Iterator[Finding]:
    where = "body.html" if part.get_content_subtype() == "html" else "body.txt"
    try:
        words = part.get_content()
    except (KeyError, LookupError, MessageError):
        return  # no text: named above
    if isinstance(words, str) and _PRIVATE_USE.search(words):
        yield refuse("unfilled-slot", "A personal value was not filled in.", where)
    size = len(part.get_payload())
    if where == "body.html" and size > _CLIP_OCTETS:
        yield warn(
            "clip",
            f"Encoded, the HTML part has {size // 1024} KB; some web mail shows the "
            "first 102 only.",
            where,
        )


def _check_signature(
    octets: bytes, message: EmailMessage, posting: Posting
) -> Iterator[Finding]:
    if posting.signature is not Signature.OURS:
        return
    if "DKIM-Signature" not in message:
        yield refuse(
            "dkim", "The message is not signed although there is a key.", "dkim"
        )
    elif fault := posting.find_fault(octets):
        yield refuse("dkim", f"The signature is not valid: {fault}.", "dkim")
