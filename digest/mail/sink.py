"""An SMTP server that takes every letter and hands it to a function."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Received:
    """One letter as it came.

    Attributes:
        sender: From MAIL; empty: the null sender.
        recipients: From RCPT, in order.
        message: The letter, dots unstuffed, CRLF line endings.
        parameters: What followed the address in MAIL: `BODY=8BITMIME`, …
        encrypted: It came over TLS.
    """

    sender: str
    recipients: tuple[str, ...]
    message: bytes
    parameters: tuple[str, ...] = ()
    encrypted: bool = False


class Sink:
    """Listens on a port of its own choice; use as `async with`.

    Args:
        on_message: Called for each letter before it is acknowledged.
        host: Address to listen on.
        port: 0: any free one; read `port` afterwards.
        tls: Offers STARTTLS with this context.
        max_size: Octets; larger letters are refused (RFC 1870).
    """

    port: int
