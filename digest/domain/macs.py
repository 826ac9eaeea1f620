"""HMAC-SHA-256 and base32, as quick as a letter every tenth of a millisecond needs."""

import hashlib
from functools import lru_cache
from typing import Any

_BLOCK = 64
_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = tuple(first + second for first in _DIGITS for second in _DIGITS)
_GROUP = 5


def mac(key: bytes, message: bytes) -> bytes:
    """Return HMAC-SHA-256 (RFC 2104); the key's two blocks are hashed only once."""
    inner, outer = (half.copy() for half in _keyed(key))
    inner.update(message)
    outer.update(inner.digest())
    digest: bytes = outer.digest()
    return digest


def base32(octets: bytes) -> str:
    """Write octets in lower-case base32 (RFC 4648 §6) without padding."""
    pairs: list[str] = []
    for start in range(0, len(octets), _GROUP):
        group = octets[start : start + _GROUP].ljust(_GROUP, b"\0")
        bits = int.from_bytes(group, "big")
        pairs += (
            _PAIRS[bits >> 30],
            _PAIRS[bits >> 20 & 1023],
            _PAIRS[bits >> 10 & 1023],
            _PAIRS[bits & 1023],
        )
    return "".join(pairs)[: -(-len(octets) * 8 // _GROUP)]


@lru_cache(maxsize=64)
def _keyed(key: bytes) -> tuple[Any, Any]:
    block = key if len(key) <= _BLOCK else hashlib.sha256(key).digest()
    block = block.ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(octet ^ 0x36 for octet in block))
    outer = hashlib.sha256(bytes(octet ^ 0x5C for octet in block))
    return inner, outer
