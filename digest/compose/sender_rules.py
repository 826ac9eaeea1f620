"""Preflight rules about who sends: the sender, the site, the signing domain."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from digest.compose.finding import Finding, refuse, warn
from digest.compose.posting import Posting, Signature
from digest.compose.view import clean
from digest.domain.hosts import is_loopback, is_reserved
from digest.domain.newsletters import Newsletter
from digest.domain.site import Site

# As the shipped newsletter files say it.
_PLACEHOLDERS = ("placeholder", "عنوان مؤقت")


def check_sender(newsletter: Newsletter) -> Iterator[Finding]:
    """Check that letters say who sends them and where to write to."""
    domain = _domain(newsletter)
    mend = f"set it in its file, then: digest newsletters update {newsletter.slug}."
    if is_reserved(domain):
        yield warn(
            "placeholder-sender",
            f"The sender {newsletter.sender.address} is a placeholder: {mend}",
            "newsletter",
        )
    postal = clean(newsletter.postal_address)
    if not postal:
        yield refuse(
            "postal-address", "The footer has no postal address.", "newsletter"
        )
    elif any(word in postal.casefold() for word in _PLACEHOLDERS):
        yield warn(
            "placeholder-address",
            f"The postal address is a placeholder: {mend}",
            "newsletter",
        )


def check_site(site: Site) -> Iterator[Finding]:
    """Check that our own links lead to a place readers can reach."""
    host = urlsplit(site.base_url).hostname or ""
    if is_loopback(host) or is_reserved(host):
        yield warn(
            "placeholder-site",
            f"Our links start with {site.base_url}, which no reader can open.",
            "web.base_url",
        )


def check_signing(newsletter: Newsletter, posting: Posting) -> Iterator[Finding]:
    """Check that somebody signs, and for a domain that speaks for the sender."""
    if posting.signature is Signature.NOBODY:
        yield warn(
            "unsigned",
            "Letters will not be signed: run digest dkim generate.",
            "dkim",
        )
    if posting.signature is not Signature.OURS:
        return
    ours, theirs = posting.signing_domain.lower(), _domain(newsletter).lower()
    # RFC 9989 §4.4, relaxed alignment; what two siblings belong to only DNS knows.
    if not f".{theirs}".endswith(f".{ours}") and not f".{ours}".endswith(f".{theirs}"):
        yield warn(
            "dkim-domain",
            f"Letters are signed for {ours} but come from {theirs}: DMARC does not "
            "count the signature unless both belong to one organisation.",
            "dkim",
        )


def _domain(newsletter: Newsletter) -> str:
    return newsletter.sender.address.rpartition("@")[2]
