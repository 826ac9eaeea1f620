"""SMTP: a pool of connections to the relay, kept open and shared."""

import asyncio
from typing import Self

from digest.mail.connection import CLOSING, BeforeData, Connection, connect
from digest.mail.envelope import Envelope
from digest.mail.outcomes import Abandoned, Accepted, Broken, Outcome, Refused
from digest.mail.relay import Relay, Timeouts, tls_context

__all__ = [
    "Abandoned",
    "Accepted",
    "BeforeData",
    "Broken",
    "Connection",
    "Envelope",
    "Outcome",
    "Pool",
    "Refused",
    "Relay",
    "Timeouts",
    "connect",
]


class Pool:
    """Up to `size` connections to one relay; use as `async with`.

    Args:
        relay: Where letters go.
        size: The most connections at one time.

    Raises:
        DigestError: The relay's `ca_file` cannot be read.
    """

    def __init__(self, relay: Relay, *, size: int) -> None:
        self._relay = relay
        self._tls = tls_context(relay)
        self._slots = asyncio.Semaphore(size)
        self._idle: list[Connection] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        idle, self._idle = self._idle, []
        await asyncio.gather(*(connection.close() for connection in idle))

    async def send(self, envelope: Envelope, *, before_data: BeforeData) -> Outcome:
        """Carry one letter over a free connection, waiting for or opening one.

        A kept connection that the server has meanwhile ended is replaced once.

        Args:
            envelope: The letter.
            before_data: As for `Connection.send`.

        Returns:
            What became of it; a failure to connect counts as `connect` or `ehlo`.
        """
        async with self._slots:
            while True:
                connection = await self._take()
                if not isinstance(connection, Connection):
                    return connection
                was_kept = connection.carried > 0
                outcome = await connection.send(envelope, before_data=before_data)
                await self._give_back(connection)
                if not (was_kept and _had_ended(outcome)):
                    return outcome

    async def _take(self) -> Connection | Refused | Broken:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable:
                return connection
        return await connect(self._relay, tls=self._tls)

    async def _give_back(self, connection: Connection) -> None:
        if connection.is_usable:
            self._idle.append(connection)
        else:
            await connection.close()


def _had_ended(outcome: Outcome) -> bool:
    """Whether a kept connection was already over when the letter's turn came."""
    if isinstance(outcome, Broken):
        return outcome.stage == "mail"
    return (
        isinstance(outcome, Refused)
        and outcome.stage == "mail"
        and outcome.reply.code == CLOSING
    )
