"""DKIM signatures (RFC 6376): rsa-sha256, relaxed/relaxed, oversigned."""

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from digest.domain.errors import DigestError
from digest.mail.fields import Field, wire_value

# RFC 6376 §5.4.1, RFC 8058 §4, and what else readers or mailbox providers act on.
# Each is named once more than it stands, so that none can be added (§5.4.2, §8.15).
_SIGNED = (
    *("From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To"),
    *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
    *("Content-Language", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"),
    *("List-Archive", "List-Help", "List-Post", "Feedback-ID", "Auto-Submitted"),
    *("In-Reply-To", "References"),
)
_SMALLEST_KEY = 1024  # RFC 8301 §3.2
_KEY_SIZE = 2048
_CHUNK = 70
_PADDING = padding.PKCS1v15()
_SHA256 = hashes.SHA256()
_WHITE_SPACE = re.compile(r"[ \t]+")
_RUN = re.compile(rb"[ \t]+")
_TRAILING = re.compile(rb"[ \t]+\Z")


@dataclass(frozen=True)
class DnsRecord:
    """The TXT record that publishes a key (RFC 6376 §3.6.1).

    Attributes:
        name: `selector._domainkey.domain`, without a final dot.
        value: The record's text as one string.
        strings: The same in strings of at most 255 octets, as DNS carries it.
    """

    name: str
    value: str
    strings: tuple[str, ...]


class Signer:
    """Signs letters for one domain with one key.

    Args:
        domain: d=, the From address's domain.
        selector: s=, which names the DNS record.
        private_key_pem: An unencrypted RSA key of at least 1,024 bits.

    Raises:
        DigestError: The key cannot be read or is of another kind or too small.
    """

    def __init__(self, domain: str, selector: str, private_key_pem: bytes) -> None:
        self.domain = domain
        self.selector = selector
        self._key = _load_key(private_key_pem)

    @property
    def public_key(self) -> rsa.RSAPublicKey:
        """What verifies its signatures."""
        return self._key.public_key()

    def sign(self, fields: Sequence[Field], body: bytes, *, at: datetime) -> Field:
        """Sign a letter.

        Args:
            fields: All its header fields, as `write_fields` will get them.
            body: The body with CRLF line endings, not dot-stuffed.
            at: The time of signing, for t=.

        Returns:
            The DKIM-Signature field; put it before the others.

        Raises:
            DigestError: A field could not be written; see `write_fields`.
        """
        value, signed = self.outline(
            fields,
            stamp=str(int(at.timestamp())),
            body_hash=_base64(hashlib.sha256(relax_body(body)).digest()),
        )
        signature = self.sign_octets(signed).decode("ascii")
        return ("DKIM-Signature", value + _spaced(signature, _CHUNK))

    def outline(
        self, fields: Sequence[Field], *, stamp: str, body_hash: str
    ) -> tuple[str, bytes]:
        """Write everything but the signature itself.

        Args:
            fields: As for `sign`.
            stamp: t=.
            body_hash: bh=.

        Returns:
            The field's value up to b=; the octets to be signed.
        """
        canonical, names = _select([(n.lower(), _relax(n, v)) for n, v in fields])
        value = (
            f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={self.domain};"
            f" s={self.selector}; t={stamp}; h={names};"
            f" bh={body_hash}; b="
        )
        # RFC 6376 §3.7: the signature's own field goes last, b= empty, no CRLF.
        return value, f"{canonical}dkim-signature:{value}".encode()

    def sign_octets(self, octets: bytes) -> bytes:
        """Sign octets; base64."""
        return base64.b64encode(self._key.sign(octets, _PADDING, _SHA256))

    def chunk_sizes(self) -> list[int]:
        """Return how long the pieces are into which b= is written."""
        length = -(-self._key.key_size // 24) * 4
        return [min(_CHUNK, length - start) for start in range(0, length, _CHUNK)]


def generate_key() -> bytes:
    """Make an RSA-2048 key (RFC 8301 §3.2); PEM, PKCS #8, unencrypted."""
    return rsa.generate_private_key(
        public_exponent=65537, key_size=_KEY_SIZE
    ).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def dns_record(private_key_pem: bytes, *, domain: str, selector: str) -> DnsRecord:
    """Make the TXT record for a key.

    Raises:
        DigestError: The key cannot be read or is of another kind or too small.
    """
    public = (
        _load_key(private_key_pem)
        .public_key()
        .public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        )
    )
    value = f"v=DKIM1; k=rsa; p={_base64(public)}"
    return DnsRecord(
        name=f"{selector}._domainkey.{domain}",
        value=value,
        strings=tuple(value[i : i + 255] for i in range(0, len(value), 255)),
    )


def _load_key(pem: bytes) -> rsa.RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < _SMALLEST_KEY:
        raise DigestError(
            "The DKIM key is not an unencrypted RSA key of 1,024 bits or more.",
            "Make one with `digest dkim generate`.",
        )
    return key


def _relax(name: str, value: str) -> str:
    """RFC 6376 §3.4.2; folding only ever adds line ends before white space."""
    return _WHITE_SPACE.sub(" ", wire_value(name, value))


def _select(fields: Sequence[Field]) -> tuple[str, str]:
    """Write what is signed, and its names for h=.

    Of fields with one name the last stands first (RFC 6376 §5.4.2).
    """
    counts = Counter(name for name, _ in fields)
    names = [name for name in _SIGNED for _ in range(counts[name.lower()] + 1)]
    last_first = list(reversed(fields))
    canonical = "".join(
        f"{name}:{value}\r\n"
        for wanted in _SIGNED
        for name, value in last_first
        if name == wanted.lower()
    )
    # Three to a row, where `write_fields` may fold, fit on one of 78 columns.
    rows = [":".join(names[i : i + 3]) for i in range(0, len(names), 3)]
    return canonical, ": ".join(rows)


def relax_body(body: bytes) -> bytes:
    """Canonicalise a body (RFC 6376 §3.4.4); what `prepare_body` makes stays as is."""
    if _is_relaxed(body):
        return body
    lines = [_TRAILING.sub(b"", line) for line in body.split(b"\r\n")]
    relaxed = b"\r\n".join(_RUN.sub(b" ", line) for line in lines).rstrip(b"\r\n")
    return relaxed + b"\r\n" if relaxed else b""


def _is_relaxed(body: bytes) -> bool:
    """Search for what would change; far quicker than changing it."""
    return (
        body.endswith(b"\r\n")
        and not body.endswith(b"\r\n\r\n")
        and body != b"\r\n"
        and not any(mark in body for mark in (b"  ", b"\t", b" \r\n"))
    )


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _spaced(text: str, width: int) -> str:
    """Give `write_fields` places to fold; b= ignores white space (§3.5)."""
    return " ".join(text[i : i + width] for i in range(0, len(text), width))
