"""Does anybody take what is mailed to our own domain?"""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from digest.care.checks import Check, failed, passed

_SECONDS = 5.0
_NAME = "inbound"


@dataclass(frozen=True, kw_only=True)
class Inbound:
    """How mail to our domain comes in.

    Attributes:
        mail_domain: Ours.
        protocol: `lmtp`, `smtp` or `none`.
        host: Where is listened for it.
        port: Where is listened for it.
        mailboxes: What is read by name; each says why it cannot be, or None.
    """

    mail_domain: str
    protocol: str
    host: str
    port: int
    mailboxes: Mapping[str, Callable[[], str | None]]


def check_inbound(inbound: Inbound) -> Check:
    """Ask the listener for its greeting, and open the mailboxes, if there are any."""
    if inbound.protocol == "none":
        return _open(inbound) if inbound.mailboxes else _missing(inbound)
    heard = _greet(inbound)
    return _open(inbound) if heard.ok and inbound.mailboxes else heard


def _missing(inbound: Inbound) -> Check:
    return passed(
        _NAME,
        f"Nobody takes mail to {inbound.mail_domain}: answers, unsubscribe@, bounces.",
        "Set inbound.protocol, or a mailbox: docs/inbound.md.",
    )


def _open(inbound: Inbound) -> Check:
    for name, find_trouble in inbound.mailboxes.items():
        trouble = find_trouble()
        if trouble is not None:
            return failed(
                _NAME, f"{name}: {trouble}.", f"Check {name}.*: docs/inbound.md."
            )
    ways = [*inbound.mailboxes]
    if inbound.protocol != "none":
        ways.insert(0, inbound.protocol)
    return passed(_NAME, f"{' and '.join(ways)}: open to {inbound.mail_domain}.")


def _greet(inbound: Inbound) -> Check:
    name = f"{inbound.protocol} on {inbound.host}:{inbound.port}"
    try:
        address = (inbound.host, inbound.port)
        with socket.create_connection(address, timeout=_SECONDS) as connection:
            greeting = connection.recv(512).decode("ascii", "replace")
            connection.sendall(b"QUIT\r\n")
    except OSError as error:
        reason = error.strerror or str(error)
        return failed(
            _NAME, f"{name}: {reason}.", "Start it: digest serve --only inbound"
        )
    if not greeting.startswith("220"):
        return failed(
            _NAME, f"{name} greets with {greeting[:60]!r}.", "Look what listens there."
        )
    return passed(_NAME, f"{name} takes mail to {inbound.mail_domain}.")
