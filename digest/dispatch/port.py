"""The port: wake-ups go in with a release and come out at some worker."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

CarryChunk = Callable[[int, int], Awaitable[None]]
"""Carries a chunk, by its edition and number; returns once someone holds it."""


class Dispatch(Protocol):
    """How workers learn of chunks that became due."""

    def enqueue(self, connection: Any, edition_id: int, chunks: Sequence[int]) -> None:
        """Leave a wake-up for each chunk.

        Args:
            connection: The driver's, inside the transaction that made the chunks due:
                the wake-ups come to be with it or not at all.
            edition_id: Whose.
            chunks: Their numbers.
        """
        ...

    async def attend(self, carry: CarryChunk) -> None:
        """Hand wake-ups to this worker until cancelled; never fails."""
        ...


class InProcess:
    """No queue: each worker looks for what is due by itself, twice a second."""

    def enqueue(self, connection: Any, edition_id: int, chunks: Sequence[int]) -> None:
        """Leave nothing: the chunks' own rows are what workers look at."""

    async def attend(self, carry: CarryChunk) -> None:  # noqa: ARG002 - the port's
        """Wait to be cancelled."""
        await asyncio.Event().wait()
