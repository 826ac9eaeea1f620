"""The relay: where letters are handed over, and how far it is trusted."""

import ssl
from dataclasses import dataclass, field
from typing import Literal

from digest.domain.errors import SettingsError
from digest.domain.hosts import is_loopback


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long to wait for each answer, in seconds (RFC 5321 §4.5.3.2).

    Attributes:
        connect: TCP with TLS, the greeting, EHLO, STARTTLS and AUTH, each.
        mail: The answer to MAIL, and to RSET.
        rcpt: The answer to RCPT.
        data: The answer to DATA.
        block: Writing the letter while the server does not read.
        dot: The answer to the letter's final dot.
        quit: The answer to QUIT; the letters are safe by then.
    """

    connect: float = 300
    mail: float = 300
    rcpt: float = 300
    data: float = 120
    block: float = 180
    dot: float = 600
    quit: float = 10


@dataclass(frozen=True, kw_only=True)
class Relay:
    """The server that letters are handed to.

    Attributes:
        host: Name or address; certificates are checked against it.
        port: TCP port.
        security: `none`, `starttls` (required, never optional), `tls` (implicit).
        username: For AUTH; None: no AUTH.
        password: For AUTH.
        messages_per_connection: Letters after which a connection is closed.
        client_name: The name in EHLO; None: this machine's.
        ca_file: PEM file of the only authorities to trust; None: the system's.
        timeouts: How long to wait.

    Raises:
        SettingsError: A password would cross a network in the clear (RFC 4954 §4).
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

    def __post_init__(self) -> None:
        if self.username and self.security == "none" and not is_loopback(self.host):
            raise SettingsError(
                f"The password for {self.host} would be sent in the clear.",
                "Set smtp.security to starttls or tls.",
            )


def tls_context(relay: Relay) -> ssl.SSLContext | None:
    """Make the context of a relay's connections; None where it has no TLS.

    Returns:
        TLS 1.2 or newer, certificate and name verified (RFC 8314 §4.1).

    Raises:
        SettingsError: `ca_file` cannot be read.
    """
    if relay.security == "none":
        return None
    try:
        context = ssl.create_default_context(cafile=relay.ca_file)
    except OSError as error:
        raise SettingsError(
            f"The certificates in {relay.ca_file} cannot be read: {error}.",
            "Name a readable PEM file.",
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
