"""The relay as all lanes of a worker see it: whether it can be used at all."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog

from digest.send.post import Post

_log = structlog.get_logger()
_WORKING = timedelta(seconds=30)


class RelayWatch:
    """Whether the relay can be used at all, as all lanes of a worker see it.

    Attributes:
        closed_until: Nobody tries before; None: it can be used as far as is known.
        reason: What the last trouble was; None after an answer.
    """

    def __init__(self, post: Post) -> None:
        self._retry = post.retry
        self._roll = post.roll
        self._times = 0
        self._answered_at: datetime | None = None
        self._trying = 0
        self._listeners = 0
        self._news = asyncio.Event()
        self.closed_until: datetime | None = None
        self.reason: str | None = None

    @contextmanager
    def trying(self) -> Iterator[None]:
        """Count a lane that is in conversation, or about to be."""
        self._trying += 1
        try:
            yield
        finally:
            self._trying -= 1

    async def others_know(self, now: datetime) -> None:
        """Wait while the other lanes may still show whether the relay works."""
        self._listeners += 1
        try:
            while self._trying and not (self.is_closed(now) or self.is_crowded(now)):
                await self._news.wait()
        finally:
            self._listeners -= 1

    def answered(self, now: datetime) -> None:
        """Note that a server spoke with us about a letter."""
        if self._listeners:
            self._spread()
        self._times = 0
        self._answered_at = now
        self.closed_until = self.reason = None

    def is_closed(self, now: datetime) -> bool:
        """Tell whether to leave the relay alone."""
        return self.closed_until is not None and now < self.closed_until

    def is_crowded(self, now: datetime) -> bool:
        """Tell whether only this connection was refused: others got through."""
        return self._answered_at is not None and now - self._answered_at < _WORKING

    def failed(self, reason: str, now: datetime) -> None:
        """Note that no connection could be had; many lanes notice at once."""
        self._spread()
        self.reason = reason
        if self.is_closed(now):
            return
        self._times += 1
        self.closed_until = self._retry.after_trouble(
            times=self._times, first_at=now, now=now, roll=self._roll()
        )
        _log.warning("relay.closed", reason=reason, until=str(self.closed_until))

    def _spread(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
