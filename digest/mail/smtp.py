"""SMTP: a line to the relay, opened when a letter wants it and kept for the next."""

import ssl
from typing import Self

from digest.mail.connection import (
    BeforeData,
    Connection,
    Following,
    nothing_follows,
)
from digest.mail.envelope import Envelope
from digest.mail.opening import connect
from digest.mail.outcomes import Abandoned, Accepted, Broken, Outcome, Refused
from digest.mail.relay import Relay, Timeouts, tls_context

__all__ = [
    "Abandoned",
    "Accepted",
    "BeforeData",
    "Broken",
    "Connection",
    "Envelope",
    "Following",
    "Line",
    "Outcome",
    "Refused",
    "Relay",
    "Timeouts",
    "connect",
    "tls_context",
]


class Line:
    """One connection to a relay, or the next one; use as `async with`.

    Args:
        relay: Where letters go.
        tls: What `tls_context(relay)` gave; None: made here.

    Raises:
        DigestError: The relay's `ca_file` cannot be read.
    """

    def __init__(self, relay: Relay, *, tls: ssl.SSLContext | None = None) -> None:
        self._relay = relay
        self._tls = tls or tls_context(relay)
        self._connection: Connection | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    @property
    def is_open(self) -> bool:
        """Whether the next letter needs no new connection."""
        return self._connection is not None and self._connection.is_usable

    async def send(
        self,
        envelope: Envelope,
        *,
        before_data: BeforeData,
        following: Following = nothing_follows,
    ) -> Outcome:
        """Carry one letter, over a new connection where there is none.

        A kept connection that the server has meanwhile ended is replaced once.

        Args:
            envelope: The letter.
            before_data: As for `Connection.send`; where a connection is replaced, it
                is awaited again.
            following: As for `Connection.send`.

        Returns:
            What became of it; a failure to connect counts as `connect` or `ehlo`.
        """
        while True:
            connection = await self._take()
            if not isinstance(connection, Connection):
                return connection
            was_kept = connection.carried > (envelope is connection.begun)
            outcome = await connection.send(
                envelope, before_data=before_data, following=following
            )
            if not (was_kept and _had_ended(outcome)):
                return outcome

    async def close(self) -> None:
        """Let the connection go; the next letter opens another one."""
        kept, self._connection = self._connection, None
        if kept is not None:
            await kept.close()

    def give_up(self, envelope: Envelope) -> None:
        """Forget a letter whose envelope was written ahead, if it was."""
        if self._connection is not None and self._connection.begun is envelope:
            self._connection.give_up()

    async def _take(self) -> Connection | Refused | Broken:
        if self._connection is not None and self._connection.is_usable:
            return self._connection
        await self.close()
        found = await connect(self._relay, tls=self._tls)
        if isinstance(found, Connection):
            self._connection = found
        return found


def _had_ended(outcome: Outcome) -> bool:
    """Whether a kept connection was already over when the letter's turn came."""
    if isinstance(outcome, Broken):
        return outcome.stage == "mail"
    return (
        isinstance(outcome, Refused) and outcome.stage == "mail" and outcome.is_closing
    )
