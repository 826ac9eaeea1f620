"""What the header of a delivered message tells of its envelope.

The last server writes the envelope into the header: the sender as Return-Path (RFC 5321
§4.4), the recipient as Delivered-To (RFC 9228), X-Original-To or Envelope-To. Whoever
wrote the message may have written such fields too, further down; that gains nothing,
since a message to any address of ours may be sent by anybody, and what changes
something carries a signed token.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.utils import getaddresses

_MOST_OCTETS = 64 * 1024
_MOST_CHARACTERS = 4 * 1024
_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_FIELD = re.compile(r"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_LINE = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """Who sent a message and to which address of ours.

    Attributes:
        sender: From Return-Path; empty: the null sender, or nothing is known.
        recipient: At our domain; None: no such address is named.
    """

    sender: str
    recipient: str | None


def read_envelope(raw: bytes, *, fields: Sequence[str], mail_domain: str) -> Envelope:
    """Read it.

    Args:
        raw: A message; only the first 64 KiB of its header are looked at.
        fields: What names the recipient, the most trusted first; the first address
            at our domain in the first of them that holds any is taken.
        mail_domain: Ours, lower case.
    """
    header = [(name.lower(), value) for name, value in _read_fields(raw)]
    senders = _addresses(header, "return-path")
    named = (
        address
        for field in fields
        for address in _addresses(header, field.lower())
        if address.rpartition("@")[2].lower() == mail_domain
    )
    return Envelope(sender=next(senders, ""), recipient=next(named, None))


def _addresses(header: Sequence[tuple[str, str]], field: str) -> Iterator[str]:
    for name, value in header:
        if name == field:
            found = getaddresses([value[:_MOST_CHARACTERS]])
            yield from (address for _, address in found)


def _read_fields(raw: bytes) -> Iterator[tuple[str, str]]:
    """Yield the fields of the header, unfolded (RFC 5322 §2.2.3)."""
    head = raw[:_MOST_OCTETS]
    end = _END.search(head)
    text = (head[: end.start()] if end else head).decode("utf-8", "replace")
    held = ""
    for line in _LINE.split(text):
        if line[:1] in {" ", "\t"}:
            held += line
            continue
        yield from _read_field(held)
        held = line
    yield from _read_field(held)


def _read_field(line: str) -> Iterator[tuple[str, str]]:
    found = _FIELD.fullmatch(line)
    if found:
        yield found[1], found[2].strip()
