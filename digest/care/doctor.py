"""The doctor: looks at every part an installation needs and says what to mend."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from digest.care.checks import Check, attempt, passed, skipped
from digest.care.inbound_check import Inbound, check_inbound
from digest.care.machine import check_machine, check_zones
from digest.care.mail_domain import Posture, check_mail_domain
from digest.care.relay_check import check_relay
from digest.care.resolver import Resolver
from digest.domain.newsletters import Newsletter
from digest.fetch.client import Fetcher
from digest.mail.relay import Relay
from digest.storage.engine import Database
from digest.templating import Templates

_OFFLINE = "--offline"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What is looked at without a network.

    Attributes:
        home: The folder of the state.
        keys: The folder of secret keys.
        db: The database; None: there is none yet.
        templates: Letters and pages.
        newsletters: What is published; empty where there is no database yet.
        warnings: What the settings leave to be desired.
    """

    home: Path
    keys: Path
    db: Database | None
    templates: Templates
    newsletters: tuple[Newsletter, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Network:
    """What is looked at over the network, and with what.

    Attributes:
        base_url: The start of every link.
        relay: The server letters are handed to.
        posture: The names DNS is asked about.
        resolver: Asks DNS.
        fetcher: Fetches our own page.
        inbound: How mail to our domain comes in.
    """

    base_url: str
    relay: Relay
    posture: Posture
    resolver: Resolver
    fetcher: Fetcher
    inbound: Inbound


def examine_machine(machine: Machine) -> Iterator[Check]:
    """Look at this machine: settings, home, keys, database, disk, zones, templates."""
    notes = " ".join(machine.warnings)
    yield passed("settings", "They are complete and well-formed.", notes)
    yield from check_machine(
        home=machine.home,
        keys=machine.keys,
        db=machine.db,
        templates=machine.templates,
    )
    yield from check_zones(machine.newsletters)


def examine_network(network: Network, *, now: datetime) -> Iterator[Check]:
    """Look at the relay, at DNS and at our own pages."""
    yield from check_relay(network.relay, now=now)
    yield from check_mail_domain(network.resolver, network.posture)
    yield attempt("web", lambda: _check_web(network))
    yield check_inbound(network.inbound)


def skip_network() -> Iterator[Check]:
    """Name what was not looked at."""
    for name in (
        "smtp",
        "tls",
        "spf",
        "dkim",
        "dmarc",
        "alignment",
        "mx",
        "ptr",
        "web",
        "inbound",
    ):
        yield skipped(name, _OFFLINE)


def _check_web(network: Network) -> Check:
    url = f"{network.base_url}/healthz"
    network.fetcher.get(url)
    return passed("web", f"{url} answers.")
