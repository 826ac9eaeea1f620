"""Readers who leave at the same moment share a commit.

A letter to many is answered by many at once, mail programs' scanners of one-click links
among them, and each answer waits until the leave is durable. Whoever comes while one
commit runs is in the next.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from anyio import CapacityLimiter, to_thread

from digest.bootstrap import Service
from digest.domain.actor import READER
from digest.subscriptions.leaving import Leave, leave_together

_MOST = 500  # others want to write as well
_Waiting = tuple[Leave, asyncio.Future[None]]


class Leavers:
    """Commits what readers of one process wish, group after group.

    Args:
        service: The installation.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._waiting: list[_Waiting] = []
        self._committing: asyncio.Task[None] | None = None
        # Its own: pages that are rendered must not keep readers from leaving.
        self._thread = CapacityLimiter(1)

    async def leave(self, wish: Leave) -> None:
        """Wait until it is durable.

        Raises:
            Exception: The database did not do its work.
        """
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((wish, done))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit())
        await done

    async def _commit(self) -> None:
        try:
            while self._waiting:
                group = self._waiting[:_MOST]
                del self._waiting[:_MOST]
                await self._commit_group(group)
        finally:
            self._committing = None

    async def _commit_group(self, group: Sequence[_Waiting]) -> None:
        failure: Exception | None = None
        try:
            wishes = [wish for wish, _ in group]
            await to_thread.run_sync(self._write, wishes, limiter=self._thread)
        except Exception as error:  # noqa: BLE001 - each of them is told
            failure = error
        for _, done in group:
            # A client that went away waits no more.
            with suppress(asyncio.InvalidStateError):
                if failure is None:
                    done.set_result(None)
                else:
                    done.set_exception(failure)

    def _write(self, wishes: Sequence[Leave]) -> None:
        service = self._service
        leave_together(
            service.db,
            wishes,
            secrets=service.secrets,
            actor=READER,
            now=service.now(),
        )
