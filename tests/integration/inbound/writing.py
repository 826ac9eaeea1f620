"""Messages as people, robots and mail servers write them, and what came of them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from digest.bootstrap import Service
from digest.domain.actor import READER
from digest.domain.addresses import parse_address
from digest.domain.subscribers import Origin
from digest.domain.tokens import Purpose
from digest.inbound import intake
from digest.storage import tables
from digest.subscriptions import opt_in, sign_up
from digest.subscriptions.sign_up import SignUp

ALICE = "alice@example.org"
DOMAIN = "news.example.test"
_ORIGIN = Origin(source="a test", wording="yes")


def make_message(text: str = "", *, author: str = ALICE, **fields: str) -> bytes:
    """A plain message; fields are named with underscores."""
    header = {
        "From": author,
        "Subject": "Hello",
        "Message-ID": "<one@example.org>",
        "Content-Type": "text/plain; charset=utf-8",
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in header.items())
    lines = text.replace("\n", "\r\n")
    return f"{head}\r\n{lines}\r\n".encode()


def send(
    service: Service, to: str, raw: bytes | None = None, *, sender: str = ALICE
) -> str:
    """Hand a message over; returns the answer."""
    raw = make_message() if raw is None else raw
    reply = intake.take(service, raw=raw, sender=sender, recipient=f"{to}@{DOMAIN}")
    return str(reply)


def later(service: Service, **span: float) -> Service:
    """The same installation, its clock set forward."""
    now = service.now() + timedelta(**span)
    return replace(service, clock=lambda: now)


def ask(service: Service, address: str = ALICE) -> str:
    """Sign an address up; returns the token of its confirmation."""
    asked = sign_up.request(
        service.db,
        newsletter="weekly",
        address=parse_address(address),
        origin=_ORIGIN,
        site=service.site,
        secrets=service.secrets,
        templates=service.templates,
        actor=READER,
        now=service.now(),
    )
    assert asked is SignUp.MAILED
    (row,) = rows(service, "subscriptions")
    return service.secrets.tokens.issue(Purpose.CONFIRM, row.id, at=service.now())


def add_reader(service: Service, address: str = ALICE) -> str:
    """Make an active reader; returns the unsubscribe token."""
    held = opt_in.record(
        service.db,
        newsletter="weekly",
        address=parse_address(address),
        origin=_ORIGIN,
        secrets=service.secrets,
        actor=READER,
        now=service.now() - timedelta(days=9),
    )
    return service.secrets.tokens.issue(Purpose.UNSUBSCRIBE, held.id)


def rows(service: Service, table: str) -> list[Any]:
    """Load every row of a table of ours."""
    with service.db.read() as tx:
        return list(tx.execute(select(tables.metadata.tables[table])).all())


def letters(service: Service) -> list[str]:
    """Name the kind of each letter in the queue, and whom it goes to."""
    return [f"{row.kind} {row.address}" for row in rows(service, "notices")]


def states(service: Service) -> list[str]:
    """Say how each subscription stands."""
    return [row.state for row in rows(service, "subscriptions")]


def verdict(service: Service) -> tuple[str, str, str]:
    """Say what became of the last message."""
    row = rows(service, "inbox")[-1]
    return row.state, row.kind, row.why
