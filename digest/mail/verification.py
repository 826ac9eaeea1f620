"""Verify a DKIM signature of ours (RFC 6376 §6.1), from the octets of the message.

Written apart from the signer, so that a fault in how it canonicalises shows.
"""

import base64
import hashlib
import re
from binascii import Error as Base64Error
from collections.abc import Iterator

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:((?:[^\r\n]|\r\n[ \t])*)\r\n")
_EMPTY_B = re.compile(rb"(^|;)([ \t\r\n]*b[ \t\r\n]*=)[^;]*")
_FOLDED = re.compile(rb"[ \t\r\n]+")
_SPACE = re.compile(rb"[ \t]+")  # a bare CR is none (RFC 6376 §2.8)
_NEEDED = ("v", "a", "b", "bh", "c", "d", "h", "s")
# RFC 8058 §4, RFC 6376 §5.4.1: not covered, anybody on the way could change them.
_COVERED = (
    *("from", "to", "subject", "date", "message-id", "mime-version"),
    *("content-type", "list-id", "list-unsubscribe", "list-unsubscribe-post"),
)


def find_fault(message: bytes, key: rsa.RSAPublicKey) -> str | None:
    """Say what is wrong with the first signature of a message.

    Args:
        message: Header and body, CRLF line endings.
        key: The public half of the key that signed.

    Returns:
        A few words; None where the signature holds and covers what it must.
    """
    head, _, body = message.partition(b"\r\n\r\n")
    fields = [(n.lower(), v) for n, v in _FIELD.findall(head + b"\r\n")]
    own = next((value for name, value in fields if name == b"dkim-signature"), None)
    if own is None:
        return "there is none"
    tags = _tags(own)
    names = tags.get("h", "").lower().split(":")
    fault = _unfit(tags, names, {name.decode("ascii") for name, _ in fields})
    if fault is None and tags["bh"] != _hash(body):
        fault = "the body was changed"
    if fault is not None:
        return fault
    return _verify(b"".join(_selected(fields, names, own)), tags["b"], key)


def _unfit(tags: dict[str, str], names: list[str], present: set[str]) -> str | None:
    """Say what a signature lacks before anything is computed."""
    if missing := [name for name in _NEEDED if name not in tags]:
        return f"the tag {missing[0]} is missing"
    if (tags["a"], tags["c"]) != ("rsa-sha256", "relaxed/relaxed") or "l" in tags:
        return "it is of another kind than ours"
    bare = [name for name in _COVERED if name in present and name not in names]
    return f"it does not cover {bare[0]}" if bare else None


def _hash(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(_body(body)).digest()).decode("ascii")


def _verify(signed: bytes, signature: str, key: rsa.RSAPublicKey) -> str | None:
    try:
        octets = base64.b64decode(signature, validate=True)
        key.verify(octets, signed, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, Base64Error):
        return "it was made with another key, or the header was changed"
    return None


def _tags(value: bytes) -> dict[str, str]:
    """Read a tag list (RFC 6376 §3.2); white space means nothing in ours."""
    pairs = (
        part.partition("=") for part in value.decode("ascii", "replace").split(";")
    )
    return {n.strip(): "".join(v.split()) for n, equals, v in pairs if equals}


def _selected(
    fields: list[tuple[bytes, bytes]], names: list[str], own: bytes
) -> Iterator[bytes]:
    """Yield the canonical fields in h='s order, the last of a name first (§5.4.2)."""
    left = list(fields)
    for wanted in names:
        for place in range(len(left) - 1, -1, -1):
            if left[place][0] == wanted.encode("ascii"):
                name, value = left.pop(place)
                yield name + b":" + _header_value(value) + b"\r\n"
                break
    yield b"dkim-signature:" + _header_value(_EMPTY_B.sub(rb"\1\2", own))


def _header_value(value: bytes) -> bytes:
    """RFC 6376 §3.4.2."""
    return _FOLDED.sub(b" ", value).strip(b" ")


def _body(body: bytes) -> bytes:
    """RFC 6376 §3.4.4."""
    lines = [_SPACE.sub(b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)
