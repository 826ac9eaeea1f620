"""Web addresses of stories: which are allowed, and which two are one story."""

import re
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from digest.domain.errors import RefusedError

_TRACKING = re.compile(
    r"utm_.*|mc_.*|fbclid|gclid|gclsrc|dclid|msclkid|yclid|igshid|amp", re.IGNORECASE
)
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0<>\"\\^`{|}\u2028\u2029\ud800-\udfff]")
_HOST = re.compile(r"[^\s/?#@%<>\"\\^`{|}]+")
_LONGEST = 2000
_DEFAULT_PORTS = {"http": 80, "https": 443}


def clean_url(text: str, base: str | None = None) -> str | None:
    """Return an absolute http(s) address, or None where the text is not one.

    Addresses with a user name or password, with control characters, white space or
    quotes, or beyond 2,000 characters are not accepted.

    Args:
        text: The address as the source gives it.
        base: What relative addresses are relative to; None: they are refused.
    """
    stripped = text.strip()
    try:
        joined = urljoin(base, stripped) if base else stripped
        parts = urlsplit(joined)
        has_port_fault = parts.port == 0
    except ValueError:
        return None
    is_fit = stripped and len(joined) <= _LONGEST and not has_port_fault
    if not is_fit or _FORBIDDEN.search(joined):
        return None
    if parts.scheme.lower() not in _DEFAULT_PORTS or "@" in parts.netloc:
        return None
    if not parts.hostname or not _HOST.fullmatch(parts.hostname):
        return None
    host = parts.netloc.lower()
    return urlunsplit((parts.scheme.lower(), host, *parts[2:]))


def require_url(text: str) -> str:
    """Return the address somebody typed, as `clean_url` does.

    Raises:
        RefusedError: It is none.
    """
    found = clean_url(text)
    if found is None:
        raise RefusedError(
            f"{text[:200]!r} is not a web address.", "Use http:// or https://."
        )
    return found


def url_key(url: str) -> str:
    """Return the canonical form under which two addresses are one story.

    Scheme, `www.`, case of the host, default port, fragment, trailing slash, campaign
    parameters and the usual AMP spellings do not count.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.").removeprefix("amp.").rstrip(".")
    if parts.port and parts.port not in _DEFAULT_PORTS.values():
        host = f"{host}:{parts.port}"
    path = parts.path.rstrip("/").removesuffix("/amp").rstrip("/")
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not _TRACKING.fullmatch(name)
    ]
    query = f"?{urlencode(kept)}" if kept else ""
    return f"{host}{path}{query}"
