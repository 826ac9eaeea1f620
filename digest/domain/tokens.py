"""Signed tokens: what stands in links and in the local parts of our addresses.

A token is purpose-bound, opaque and short enough for a local part: `unsubscribe+`
and 45 characters stay under 64 octets (RFC 5321 §4.5.3.1.1). It is lower-case
base32 and read case-insensitively, since mail systems fold local parts.

Layout before base32 (RFC 4648 §6, no padding):
key id (1 octet) · row id (6) · issued at, Unix seconds (4, expiring purposes only) ·
HMAC-SHA-256 over purpose and the fields before it, cut to 128 bits (RFC 2104 §5,
RFC 8058 §6).
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from digest.domain import macs

KEY_OCTETS = 32
MOST_KEYS = 255  # an id is one octet, and 0 is none
_ID_OCTETS = 6
_STAMP_OCTETS = 4
_MAC_OCTETS = 16


class Purpose(StrEnum):
    """What a token permits; one made for another purpose is refused."""

    CONFIRM = "confirm"  # row: subscription; expires
    UNSUBSCRIBE = "unsubscribe"  # row: subscription; never expires (RFC 8058, U10)
    PREFERENCES = "preferences"  # row: subscription
    RIGHTS = "rights"  # row: subscription; opens the reader's data; expires soon
    MOVE = "move"  # row: change of address; the new address's holder agrees; expires
    DELIVERY = "delivery"  # row: delivery; envelope sender of an edition's letter
    NOTICE = "notice"  # row: notice; envelope sender of any other letter
    REVIEW = "review"  # row: review; settles an edition; its row says until when
    FORM = "form"  # row: newsletter; says when a sign-up form was shown; expires


LIFETIMES: Mapping[Purpose, timedelta] = {
    Purpose.CONFIRM: timedelta(days=7),
    Purpose.RIGHTS: timedelta(hours=1),
    Purpose.MOVE: timedelta(days=1),
    Purpose.REVIEW: timedelta(days=30),
    Purpose.FORM: timedelta(days=1),
}


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token that was read and whose signature held.

    Attributes:
        purpose: What it permits.
        row_id: The row it is about.
        issued_at: When it was made, for purposes that expire.
        expired: The signature holds but its lifetime has passed.
    """

    purpose: Purpose
    row_id: int
    issued_at: datetime | None = None
    expired: bool = False


@dataclass(frozen=True, kw_only=True)
class TokenKeys:
    """The signing keys by id. Old ones stay: links never die with a rotation.

    Attributes:
        current: The id new tokens are signed with, 1 to 255.
        keys: Key id to 32 octets of secret.
    """

    current: int
    keys: Mapping[int, bytes]

    def issue(
        self,
        purpose: Purpose,
        row_id: int,
        *,
        at: datetime | None = None,
        key_id: int | None = None,
    ) -> str:
        """Sign a token for one row.

        Args:
            purpose: What the token permits.
            row_id: The row it is about, below 2**48.
            at: The time of issue; needed by purposes that expire, ignored by others.
            key_id: A key other than the current one, to make the same bytes again.

        Returns:
            37 characters, or 44 with a time stamp: lower-case base32.
        """
        chosen = self.current if key_id is None else key_id
        head = chosen.to_bytes(1, "big") + row_id.to_bytes(_ID_OCTETS, "big")
        if purpose in LIFETIMES:
            assert at is not None, f"a {purpose} token needs its time of issue"
            head += int(at.timestamp()).to_bytes(_STAMP_OCTETS, "big")
        mac = _sign(self.keys[chosen], purpose, head)
        return macs.base32(head + mac)

    def read(self, purpose: Purpose, text: str, *, now: datetime) -> Token | None:
        """Check a token and say which row it is about.

        Args:
            purpose: The only purpose that is accepted.
            text: What stood in the path or the local part, any case.
            now: The current time, for purposes that expire.

        Returns:
            The token, or None where the text is not one of ours for this purpose.
        """
        stamp = _STAMP_OCTETS if purpose in LIFETIMES else 0
        octets = 1 + _ID_OCTETS + stamp + _MAC_OCTETS
        # All that is refused takes the same steps, so that time tells nothing: a
        # text of another form is checked as a token of zeros, an unknown key id
        # against a key nobody has (attack A10).
        raw = _decode(text, octets)
        head, mac = raw[:-_MAC_OCTETS], raw[-_MAC_OCTETS:]
        secret = self.keys.get(head[0], b"\0" * KEY_OCTETS)
        genuine = hmac.compare_digest(_sign(secret, purpose, head), mac)
        if not genuine or head[0] not in self.keys:
            return None
        row_id = int.from_bytes(head[1 : 1 + _ID_OCTETS], "big")
        if not stamp:
            return Token(purpose=purpose, row_id=row_id)
        issued_at = datetime.fromtimestamp(
            int.from_bytes(head[1 + _ID_OCTETS :], "big"), tz=UTC
        )
        expired = now - issued_at > LIFETIMES[purpose]
        return Token(
            purpose=purpose, row_id=row_id, issued_at=issued_at, expired=expired
        )


def _sign(secret: bytes, purpose: Purpose, head: bytes) -> bytes:
    message = purpose.encode("ascii") + b"\0" + head
    return macs.mac(secret, message)[:_MAC_OCTETS]


def _decode(text: str, octets: int) -> bytes:
    """Undo base32; any spelling but the one `issue` writes comes to zeros."""
    # Some letters beyond ASCII have capitals within it.
    folded = text.upper() if text.isascii() else ""
    try:
        raw = base64.b32decode(folded + "=" * (-len(folded) % 8))
    except (binascii.Error, ValueError):
        raw = b""
    # The last character carries spare bits: without this, several spellings
    # of one token would be accepted.
    same = base64.b32encode(raw).decode("ascii").rstrip("=") == folded
    return raw if same and len(raw) == octets else bytes(octets)
