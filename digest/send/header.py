"""What the headers of editions' letters and of notices have in common."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from digest.mail.dkim import Signer
from digest.mail.message import Field, mailbox, write_fields

OWN_HEADER = "X-Digest-Letter"
"""Carries the envelope sender's token, for relays that replace the envelope."""


def sender_id(mail_domain: str) -> str:
    """Name the sender in Feedback-ID."""
    # Gmail wants 5 to 15 characters that never change; domains are often longer.
    return hashlib.sha256(mail_domain.encode("ascii")).hexdigest()[:12]


def list_fields(headers: Mapping[str, str]) -> list[Field]:
    """Encode the phrase of List-Id where it is not plain ASCII (RFC 2919 §3)."""
    fields = []
    for name, value in headers.items():
        phrase, bracket, identifier = value.rpartition("<")
        if name == "List-Id" and bracket:
            written = mailbox(phrase.strip(' "'), identifier.rstrip(">"))
            fields.append((name, written))
        else:
            fields.append((name, value))
    return fields


def assemble(
    fields: Sequence[Field], body: bytes, *, signer: Signer | None, at: datetime
) -> bytes:
    """Write a letter: its signature, if it is signed, its header and its body."""
    # The signature is stamped with the letter's own date, so that a letter in
    # doubt is sent again with the very same bytes.
    signature = [signer.sign(fields, body, at=at)] if signer is not None else []
    return b"".join([write_fields([*signature, *fields]), b"\r\n", body])
