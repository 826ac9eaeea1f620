"""SMTP: connections to the relay, kept open and shared; outcomes are values.

aiosmtplib opens a connection (TCP, TLS, EHLO, AUTH); the transaction is ours, since
the ledger must be written between RCPT and DATA.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from digest.mail.reply import Reply, Stage


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long to wait for each answer, in seconds (RFC 5321 §4.5.3.2).

    Attributes:
        connect: TCP, TLS, the greeting, EHLO and AUTH, each.
        mail: The answer to MAIL, and to RSET.
        rcpt: The answer to RCPT.
        data: The answer to DATA.
        dot: Writing the letter and the answer to its final dot.
        quit: The answer to QUIT; the letters are safe by then.
    """

    connect: float = 300
    mail: float = 300
    rcpt: float = 300
    data: float = 120
    dot: float = 600
    quit: float = 10


@dataclass(frozen=True, kw_only=True)
class Relay:
    """The server that letters are handed to.

    Attributes:
        host: Name or address; certificates are checked against it.
        port: TCP port.
        security: `none`, `starttls` (required, never optional), `tls` (implicit).
        username: For AUTH; only over TLS, or to a loopback host. None: no AUTH.
        password: For AUTH.
        messages_per_connection: Letters after which a connection is closed.
        client_name: The name in EHLO; None: this machine's.
        ca_file: PEM file of the only authorities to trust; None: the system's.
        timeouts: How long to wait.
    """

    host: str
    port: int
    security: Literal["none", "starttls", "tls"] = "none"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    messages_per_connection: int = 100
    client_name: str | None = None
    ca_file: str | None = None
    timeouts: Timeouts = Timeouts()


@dataclass(frozen=True)
class Envelope:
    """A letter and where it goes.

    Attributes:
        sender: The envelope sender; empty: the null sender.
        recipient: The one recipient.
        message: The letter with CRLF line endings, not dot-stuffed.
    """

    sender: str
    recipient: str
    message: bytes


@dataclass(frozen=True)
class Accepted:
    """The server took responsibility for the letter."""

    reply: Reply


@dataclass(frozen=True)
class Refused:
    """The server, or we on its behalf, said no; the letter was definitely not taken."""

    reply: Reply
    stage: Stage


@dataclass(frozen=True)
class Broken:
    """The conversation ended without an answer.

    Attributes:
        stage: What was waited for.
        reason: One line for the log.
        after_dot: The letter was written whole: it may or may not have been taken
            (RFC 1047).
    """

    stage: Stage
    reason: str
    after_dot: bool


@dataclass(frozen=True)
class Abandoned:
    """`before_data` said no; nothing of the letter was written."""


Outcome = Accepted | Refused | Broken | Abandoned
BeforeData = Callable[[], Awaitable[bool]]


class Connection:
    """One open conversation; carries letters one after the other."""

    async def send(self, envelope: Envelope, *, before_data: BeforeData) -> Outcome:
        """Carry one letter.

        Args:
            envelope: The letter.
            before_data: Awaited once RCPT is accepted, before DATA; False gives the
                letter up.

        Returns:
            What became of it.
        """


class Pool:
    """Up to `size` connections to one relay; use as `async with`."""

    def __init__(self, relay: Relay, *, size: int) -> None:
        self._relay = relay

    async def __aenter__(self) -> "Pool": ...

    async def __aexit__(self, *exc: object) -> None: ...

    async def send(self, envelope: Envelope, *, before_data: BeforeData) -> Outcome:
        """Carry one letter over a free connection, waiting for or opening one."""
