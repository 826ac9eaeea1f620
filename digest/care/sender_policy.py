"""SPF (RFC 7208) and DMARC (RFC 9989) as published: read and judged."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from digest.care.checks import Check, failed, passed
from digest.care.resolver import Resolver

MOST_LOOKUPS = 10  # RFC 7208 §4.6.4
_ASKING = ("include", "a", "mx", "ptr", "exists", "redirect")
_GONE = ("pct", "rf", "ri")  # RFC 9989, appendix C
_MOST_LABELS = 8  # RFC 9989 §4.10: deeper names are walked from the seventh label up


@dataclass(kw_only=True)
class _Walk:
    """One evaluation's tally.

    Attributes:
        lookups: Terms that made DNS be asked.
        faults: What a receiver would answer permerror to.
    """

    lookups: int = 0
    faults: list[str] = field(default_factory=list)


def check_spf(resolver: Resolver, domain: str) -> Check:
    """Judge a domain's SPF record: one, whole, and within ten lookups."""
    walk = _Walk()
    record, rest = _walk_spf(resolver, domain, walk, seen=())
    mend = f'Publish one TXT record at {domain}, such as "v=spf1 mx -all".'
    if walk.faults:
        return failed("spf", f"{walk.faults[0]}.", mend)
    if walk.lookups > MOST_LOOKUPS:
        return failed(
            "spf",
            f"The record of {domain} makes receivers ask DNS more than "
            f"{MOST_LOOKUPS} times: they give up (RFC 7208 §4.6.4).",
            "Replace includes by ip4: and ip6: terms.",
        )
    if rest not in {"-all", "~all"}:
        return failed(
            "spf", f"The record {record!r} refuses nobody.", "End it with -all or ~all."
        )
    return passed("spf", f"{record} ({walk.lookups} of {MOST_LOOKUPS} lookups)")


def _walk_spf(
    resolver: Resolver, domain: str, walk: _Walk, *, seen: tuple[str, ...]
) -> tuple[str, str]:
    """Follow a record; return it, and what it says of everybody else: `-all`."""
    if domain in seen:
        walk.faults.append(f"The SPF record of {domain} includes itself")
        return "", ""
    record = _find_spf(resolver, domain, walk)
    rest = ""
    for term in record.split()[1:]:
        name, target = _read_term(term)
        if name == "all":
            rest = rest or (term.lower() if term[0] in "+-~?" else "+all")
        walk.lookups += name in _ASKING
        if name in {"include", "redirect"} and walk.lookups <= MOST_LOOKUPS:
            _, below = _walk_spf(resolver, target, walk, seen=(*seen, domain))
            rest = rest or (below if name == "redirect" else "")
    return record, rest


def _find_spf(resolver: Resolver, domain: str, walk: _Walk) -> str:
    texts = resolver.lookup(domain, "TXT")
    records = [t for t in texts if t.lower().split(" ")[0] == "v=spf1"]
    if len(records) == 1:
        return records[0]
    count = f"{len(records)} SPF records" if records else "no SPF record"
    walk.faults.append(f"{domain} has {count}")
    return ""


def _read_term(term: str) -> tuple[str, str]:
    """Cut `+include:x` or `redirect=x` into name and target (RFC 7208 §4.6.1)."""
    found = re.match(r"[+?~-]?([a-z]+)[:=/]?(.*)", term.lower())
    return (found[1], found[2]) if found else ("", "")


def check_dmarc(resolver: Resolver, domain: str) -> Check:
    """Judge the DMARC policy that receivers find for a From domain."""
    mend = f'Publish a TXT record at _dmarc.{domain}: "v=DMARC1; p=none".'
    for place in walk_tree(domain):
        records = _policies(resolver, place)
        if len(records) > 1:
            return failed("dmarc", f"_dmarc.{place} has {len(records)} records.", mend)
        if records:
            return _judge_dmarc(records[0], place, domain, mend)
    return failed("dmarc", f"No record at _dmarc.{domain} or above it.", mend)


def walk_tree(domain: str) -> Iterator[str]:
    """Name the domains whose policy counts, nearest first (RFC 9989 §4.10)."""
    yield domain
    labels = domain.split(".")
    start = len(labels) - _MOST_LABELS + 1 if len(labels) > _MOST_LABELS else 1
    for first in range(start, len(labels)):
        yield ".".join(labels[first:])


def organisation(resolver: Resolver, domain: str) -> str:
    """Return the highest domain above a name that publishes a policy, or the name.

    RFC 9989 §4.10.2, without `psd`: a registry does not send our letters.
    """
    return [domain, *(d for d in walk_tree(domain) if _policies(resolver, d))][-1]


def _policies(resolver: Resolver, domain: str) -> list[str]:
    texts = resolver.lookup(f"_dmarc.{domain}", "TXT")
    return [text for text in texts if text.replace(" ", "").startswith("v=DMARC1")]


def _judge_dmarc(record: str, place: str, domain: str, mend: str) -> Check:
    pairs = (part.partition("=") for part in record.split(";") if "=" in part)
    tags = {name.strip().lower(): value.strip().lower() for name, _, value in pairs}
    policy = tags.get("sp") if place != domain else None
    policy = policy or tags.get("p", "")
    if policy not in {"none", "quarantine", "reject"}:
        return failed("dmarc", f"The record at _dmarc.{place} has no policy p=.", mend)
    gone = [tag for tag in _GONE if tag in tags]
    advice = f"Take out {', '.join(gone)}: RFC 9989 knows them no more." if gone else ""
    return passed("dmarc", f"{policy}, by _dmarc.{place}: {record}", advice)
