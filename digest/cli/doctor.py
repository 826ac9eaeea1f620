"""`doctor`: what is wrong with this installation, and the records to publish."""

import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from digest import bootstrap
from digest.bootstrap import mailing
from digest.care.checks import Check
from digest.care.doctor import (
    Machine,
    Network,
    examine_machine,
    examine_network,
    skip_network,
)
from digest.care.inbound_check import Inbound
from digest.care.mail_domain import Posture
from digest.care.records import Record, dkim_record, wanted_records
from digest.care.resolver import Resolver
from digest.cli.face import Face, face_of
from digest.cli.setup import warnings_of
from digest.domain.errors import DigestError
from digest.domain.hosts import is_loopback
from digest.domain.newsletters import Newsletter
from digest.fetch.client import make_fetcher
from digest.inbound.mailboxes import find_mailboxes, find_trouble
from digest.settings import Settings
from digest.storage import newsletters, schema
from digest.storage.engine import TROUBLE, Database

Offline = Annotated[bool, typer.Option(help="Ask nothing over the network.")]
_MARKS = {True: "ok  ", False: "FAIL", None: "-   "}


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("doctor")(doctor)


def doctor(ctx: typer.Context, *, offline: Offline = False) -> None:
    """Check this machine, the relay and DNS; print the records to publish."""
    face = face_of(ctx)
    resolver = None if offline else Resolver()
    if not examine(face, resolver):
        raise typer.Exit(1)


def examine(face: Face, resolver: Resolver | None) -> bool:
    """Run every check and show the results.

    Args:
        face: The run.
        resolver: Asks DNS; None: nothing is asked over the network.

    Returns:
        Whether no check failed.
    """
    settings = face.settings()
    checks = list(_run(settings, resolver))
    records = _records(settings)
    face.show(
        {
            "items": [asdict(check) for check in checks],
            "next": None,
            "records": [asdict(record) for record in records],
        },
        [*_lines(checks), *_record_lines(records)],
    )
    return not any(check.ok is False for check in checks)


def _run(settings: Settings, resolver: Resolver | None) -> Iterator[Check]:
    file = settings.home / "digest.db"
    there = settings.database.url is not None or file.exists()
    db = Database(settings.database_url) if there else None
    published = _published(db)
    yield from examine_machine(
        Machine(
            home=settings.home,
            keys=settings.keys,
            db=db,
            templates=bootstrap.make_templates(settings),
            newsletters=published,
            warnings=tuple(warnings_of(settings)),
        )
    )
    if db is not None:
        db.close()
    if resolver is None:
        yield from skip_network()
    else:
        network = _network(settings, resolver, published)
        yield from examine_network(network, now=bootstrap.utc_now())


def _published(db: Database | None) -> tuple[Newsletter, ...]:
    try:
        if db is None:
            return ()
        schema.require_current(db)
        with db.read() as tx:
            return tuple(newsletters.list_all(tx))
    except (DigestError, *TROUBLE):
        return ()  # the check of the database says why


def _network(
    settings: Settings, resolver: Resolver, published: Iterable[Newsletter]
) -> Network:
    senders = [newsletter.sender for newsletter in published]
    own = settings.mail.domain
    relay = settings.smtp.host
    return Network(
        base_url=settings.web.base_url,
        relay=mailing.make_relay(settings),
        resolver=resolver,
        # Our own page may well be on this machine or behind its router.
        fetcher=make_fetcher(allow_private=True),
        posture=Posture(
            mail_domain=own,
            from_domains=frozenset({_domain(s.address) for s in senders} or {own}),
            reply_domains=frozenset(_domain(s.reply_to) for s in senders),
            sending_host=socket.getfqdn() if is_loopback(relay) else relay,
            dkim_domain=settings.dkim_domain,
            dkim_selector=settings.dkim.selector,
            dkim_pem=_key(settings),
            signs=settings.dkim.mode == "self",
        ),
        inbound=Inbound(
            mail_domain=own,
            protocol=settings.inbound.protocol,
            host=settings.inbound.host,
            port=settings.inbound.port,
            mailboxes={
                name: partial(find_trouble, opens)
                for name, opens in find_mailboxes(settings).items()
            },
        ),
    )


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def _key(settings: Settings) -> bytes | None:
    path = settings.dkim_key_file
    return path.read_bytes() if path.exists() else None


def _records(settings: Settings) -> list[Record]:
    found = wanted_records(
        mail_domain=settings.mail.domain,
        base_url=settings.web.base_url,
        relay_host=settings.smtp.host,
    )
    # A key that cannot be read is a failed check of its own.
    with suppress(DigestError):
        if (pem := _key(settings)) is not None:
            domain, selector = settings.dkim_domain, settings.dkim.selector
            found.insert(1, dkim_record(pem, domain=domain, selector=selector))
    return found


def _lines(checks: Iterable[Check]) -> Iterator[str]:
    for check in checks:
        yield f"{_MARKS[check.ok]} {check.check:<10} {check.detail}"
        if check.mend:
            yield f"     {'':<10} {check.mend}"


def _record_lines(records: Iterable[Record]) -> Iterator[str]:
    yield ""
    yield "Records to publish:"
    for record in records:
        yield f"; {record.purpose}"
        yield f"{record.name} IN {record.type} {record.value}"
