"""What DNS says about the domain that letters come from."""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from digest.care.checks import Check, attempt, failed, passed, skipped
from digest.care.resolver import Resolver
from digest.care.sender_policy import check_dmarc, check_spf, organisation
from digest.mail.dkim import dns_record


@dataclass(frozen=True, kw_only=True)
class Posture:
    """The names that DNS is asked about.

    Attributes:
        mail_domain: Of envelope senders and inbound addresses.
        from_domains: Of the newsletters' From addresses.
        reply_domains: Of their Reply-To addresses.
        sending_host: The host whose address receivers see.
        dkim_domain: d=.
        dkim_selector: s=.
        dkim_pem: The private key; None: there is none.
        signs: Whether we sign, not the relay.
    """

    mail_domain: str
    from_domains: frozenset[str]
    reply_domains: frozenset[str]
    sending_host: str
    dkim_domain: str
    dkim_selector: str
    dkim_pem: bytes | None
    signs: bool


def check_mail_domain(resolver: Resolver, posture: Posture) -> Iterator[Check]:
    """Ask about SPF, DKIM, DMARC, alignment, MX and PTR."""
    yield attempt("spf", lambda: check_spf(resolver, posture.mail_domain))
    yield attempt("dkim", lambda: _check_dkim(resolver, posture))
    for domain in sorted(posture.from_domains):
        yield attempt("dmarc", lambda d=domain: check_dmarc(resolver, d))  # type: ignore[misc]
        yield attempt(
            "alignment",
            lambda d=domain: _check_alignment(resolver, posture, d),  # type: ignore[misc]
        )
    receiving = {posture.mail_domain, *posture.reply_domains, *posture.from_domains}
    for domain in sorted(receiving):
        yield attempt("mx", lambda d=domain: _check_mx(resolver, d))  # type: ignore[misc]
    yield attempt("ptr", lambda: _check_ptr(resolver, posture.sending_host))


def _check_dkim(resolver: Resolver, posture: Posture) -> Check:
    if not posture.signs:
        return skipped("dkim", "the relay signs")
    if posture.dkim_pem is None:
        return failed("dkim", "There is no key: letters go unsigned.", _GENERATE)
    wanted = dns_record(
        posture.dkim_pem, domain=posture.dkim_domain, selector=posture.dkim_selector
    )
    texts = resolver.lookup(wanted.name, "TXT")
    keys = [key for text in texts if (key := _public_key(text)) is not None]
    if not keys:
        return failed("dkim", f"{wanted.name} publishes no key.", _PASTE)
    if _public_key(wanted.value) not in keys:
        return failed("dkim", f"{wanted.name} publishes another key than ours.", _PASTE)
    return passed("dkim", f"{wanted.name} publishes our key.")


_GENERATE = "Run: digest dkim generate"
_PASTE = "Publish the record that `digest dkim show` prints."


def _public_key(text: str) -> str | None:
    """Read p= of a key record (RFC 6376 §3.6.1), white space taken out."""
    found = re.search(r"(?:^|;)\s*p\s*=([^;]*)", text)
    return None if found is None else re.sub(r"\s", "", found[1])


def _check_alignment(resolver: Resolver, posture: Posture, from_domain: str) -> Check:
    if _are_aligned(resolver, posture.dkim_domain, from_domain):
        return passed(
            "alignment", f"From @{from_domain} goes with d={posture.dkim_domain}."
        )
    return failed(
        "alignment",
        f"From @{from_domain} does not go with the signature's "
        f"d={posture.dkim_domain}: DMARC fails (RFC 9989 §4.4).",
        f"Set DIGEST_DKIM__DOMAIN to {from_domain} or change the sender.",
    )


def _are_aligned(resolver: Resolver, one: str, other: str) -> bool:
    """Relaxed alignment (RFC 9989 §3.2.10)."""
    if one == other or one.endswith(f".{other}") or other.endswith(f".{one}"):
        return True
    return organisation(resolver, one) == organisation(resolver, other)


def _check_mx(resolver: Resolver, domain: str) -> Check:
    hosts = resolver.lookup(domain, "MX")
    if not hosts:
        return failed(
            "mx",
            f"{domain} has no MX record: nothing sent to it arrives.",
            f"Publish: {domain}. MX 10 <the host that receives its mail>.",
        )
    dead = [host for host in hosts if not host or not resolver.addresses(host)]
    if dead:
        named = dead[0] or "the null MX (RFC 7505)"
        return failed(
            "mx", f"{domain} names {named}, which has no address.", "Mend that record."
        )
    return passed("mx", f"{domain}: {', '.join(hosts)}")


def _check_ptr(resolver: Resolver, host: str) -> Check:
    """Forward-confirmed reverse DNS of each public address."""
    public = list(_public(_addresses(resolver, host)))
    if not public:
        return skipped("ptr", f"{host} has no public address to ask about")
    for address in public:
        names = resolver.reverse(address)
        if not any(address in resolver.addresses(name) for name in names):
            said = ", ".join(names) or "nothing"
            return failed(
                "ptr",
                f"{address} ({host}) points back to {said}, which does not lead to it.",
                "Set its PTR record where the address is rented.",
            )
    return passed("ptr", f"{host}: {', '.join(public)} point back and forth.")


def _addresses(resolver: Resolver, host: str) -> list[str]:
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        return resolver.addresses(host)


def _public(addresses: Iterable[str]) -> Iterator[str]:
    return (a for a in addresses if ipaddress.ip_address(a).is_global)
