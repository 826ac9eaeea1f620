"""The queue between the feeder and the lanes: notices go before editions' letters."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from digest.domain.deliveries import LetterKind
from digest.send.job import Job

_FEW_NOTICES = 50


class Queue:
    """Jobs that wait for a lane, and lanes that wait for a job.

    Args:
        on_low: Called when so few jobs wait that more should be fetched.
    """

    def __init__(self, on_low: Callable[[], None]) -> None:
        self._notices: deque[Job] = deque()
        self._letters: deque[Job] = deque()
        self._lanes: deque[asyncio.Future[Job | None]] = deque()
        self._on_low = on_low
        self._is_closed = False
        self.low = 0
        """Below how many more should be fetched."""

    def __len__(self) -> int:
        return len(self._notices) + len(self._letters)

    @property
    def is_low(self) -> bool:
        """Whether more should be fetched."""
        return len(self) < self.low

    @property
    def has_few_notices(self) -> bool:
        """Whether more notices should be fetched: each is leased by itself."""
        return len(self._notices) < _FEW_NOTICES

    def put(self, jobs: Iterable[Job]) -> None:
        """Hand jobs to the lanes that wait, and keep the others."""
        for job in jobs:
            if (lane := self._waiting_lane()) is not None:
                lane.set_result(job)
            elif job.kind == LetterKind.NOTICE:
                self._notices.append(job)
            else:
                self._letters.append(job)

    def take(self) -> Job | None:
        """Take the next job; None: there is none now."""
        if self._notices:
            job = self._notices.popleft()
        elif self._letters:
            job = self._letters.popleft()
        else:
            return None
        if len(self) == self.low - 1:
            self._on_low()
        return job

    def put_back(self, job: Job) -> None:
        """Take a job back; it is the next to be taken."""
        if (lane := self._waiting_lane()) is not None:
            lane.set_result(job)
        elif job.kind == LetterKind.NOTICE:
            self._notices.appendleft(job)
        else:
            self._letters.appendleft(job)

    async def next(self) -> Job | None:
        """Wait for a job; None: there will be no more."""
        job = self.take()
        if job is not None or self._is_closed:
            return job
        lane: asyncio.Future[Job | None] = asyncio.get_running_loop().create_future()
        self._lanes.append(lane)
        return await lane

    def close(self) -> None:
        """Tell the lanes that nothing more will come; what waits is still taken."""
        self._is_closed = True
        while (lane := self._waiting_lane()) is not None:
            lane.set_result(None)

    def _waiting_lane(self) -> asyncio.Future[Job | None] | None:
        while self._lanes:
            lane = self._lanes.popleft()
            # One that was stopped waits no more.
            if not lane.done():
                return lane
        return None
