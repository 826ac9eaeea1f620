"""Host and domain names: what counts as one, and what never leaves this machine."""

import ipaddress
import re
from urllib.parse import urlsplit

import idna

from digest.domain.errors import RefusedError

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_MAX_DOMAIN = 253
_NOBODYS = re.compile(
    r"(^|\.)(test|invalid|localhost|example(\.(com|net|org))?)$", re.IGNORECASE
)


def is_loopback(host: str) -> bool:
    """Say whether a host name or address is this machine itself (RFC 6761 §6.3)."""
    name = host.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_reserved(host: str) -> bool:
    """Say whether a name is one for examples and tests, which nobody has (RFC 2606)."""
    return _NOBODYS.search(host) is not None


def parse_domain(text: str) -> str:
    """Read a domain name.

    Returns:
        Lower case, A-labels (RFC 5891), without a trailing dot.

    Raises:
        RefusedError: It is not a name of at least two labels of letters, digits
            and hyphens, 253 octets at most (RFC 1035 §2.3.4).
    """
    try:
        name = idna.encode(text, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        name = text
    name = name.lower().removesuffix(".")
    labels = name.split(".")
    # A last label of digits would be an IPv4 address (RFC 3696 §2).
    wellformed = all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()
    if not wellformed or len(labels) == 1 or len(name) > _MAX_DOMAIN:
        raise RefusedError(
            f"{text!r} is not a domain name.", "Example: news.example.com"
        )
    return name


def parse_base_url(text: str) -> str:
    """Read the start of every link.

    Returns:
        The address without a trailing slash.

    Raises:
        RefusedError: It is not a plain `https://` address (`http://` only for this
            machine itself), or carries a query, a fragment or a user.
    """
    example = "Example: https://news.example.com"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    extra = parts.query or parts.fragment or parts.username is not None
    if not host or extra or not text.isascii() or not text.isprintable() or " " in text:
        raise RefusedError(f"{text!r} is not a plain web address.", example)
    if parts.scheme == "http" and not is_loopback(host):
        raise RefusedError("It must start with https://: links carry tokens.", example)
    if parts.scheme not in {"http", "https"}:
        raise RefusedError("It must start with https://.", example)
    return text.rstrip("/")
