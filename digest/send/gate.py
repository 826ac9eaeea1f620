"""The gate: hands letters to the lanes no faster than the throttle allows.

It stands between feeder and lanes only where something is limited. A letter that
must wait does not hold up those to other domains: it is put aside, or its chunk is
given back until its turn.
"""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any

from digest.domain.deliveries import LetterKind
from digest.domain.rates import RELAY, WARM_UP
from digest.send.job import Job
from digest.send.lane import Source
from digest.send.post import Clock
from digest.send.throttle import Throttle, Wait

Sleep = Callable[[float], Awaitable[None]]

_NAP_SECONDS = 0.5
_PATIENCE = timedelta(seconds=5)
_LONGEST = timedelta(minutes=10)
_MOST_OF_A_DOMAIN = 1_000
_MOST = 5_000
_MOST_NOTICES = 1_000
_MOST_TURNS = 1_000

_Place = tuple[bool, int, int, Job]
"""Notices first, then as they stand in their table."""


class Gate:
    """What lanes see of the feeder where something is limited.

    Args:
        source: The feeder.
        throttle: Says which may go.
        clock: The time.
        stop: Once it is set nothing waits any more.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        source: Source,
        *,
        throttle: Throttle,
        clock: Clock,
        stop: asyncio.Event,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._source = source
        self._throttle = throttle
        self._clock = clock
        self._stop = stop
        self._sleep = sleep
        self._stalled: deque[Job] = deque()
        self._aside = Aside()
        self._turns = Turns()
        self._shut_until: datetime | None = None
        self._pulls: list[asyncio.Future[Job | None]] = []
        self._waiting = 0
        self._ended = False

    def take(self) -> Job | None:
        """Take a letter that may go at once; None: ask `next_job`."""
        job = self._at_hand()
        if job is None or self._may_go(job):
            return job
        self._stalled.append(job)
        return None

    async def next_job(self) -> Job | None:
        """Wait for a letter that may go now; None: there will be no more."""
        while (job := await self._next()) is not None:
            if self._may_go(job):
                return job
            wait = await self._throttle.admit(job.domain, is_edition=_is_edition(job))
            if wait is None:
                return job
            await self._put_off(job, wait)
        return None

    def put_back(self, job: Job) -> None:
        """Take a letter back that could not be tried; its permits are kept."""
        job.is_admitted = True
        self._stalled.appendleft(job)

    async def finish(self, job: Job) -> None:
        """Note that a lane is through with a letter."""
        await self._source.finish(job)

    def _may_go(self, job: Job) -> bool:
        # What is not going to be sent needs no permit.
        if job.is_admitted or job.claim.is_over or job.bar is not None:
            return True
        return self._throttle.try_admit(job.domain, is_edition=_is_edition(job))

    async def _next(self) -> Job | None:
        """Wait for a letter whose turn it may be."""
        while (job := self._at_hand()) is None and not self._ended:
            now = self._clock()
            if self._is_shut(now):
                await self._sleep(_nap(self._shut_until, now))
            else:
                await self._pull(_nap(self._aside.next_at, now))
        return job

    def _at_hand(self) -> Job | None:
        """Take a letter whose turn it may be, if there is one."""
        now = self._clock()
        if self._stalled:
            return self._stalled.popleft()
        is_over = self._ended or self._stop.is_set()
        if (job := self._aside.pop(None if is_over else now)) is not None:
            return job
        if (job := self._arrived()) is not None:
            return job
        # Who waits in a pull is served first.
        return None if self._is_shut(now) or self._pulls else self._source.take()

    def _is_shut(self, now: datetime) -> bool:
        until = None if self._stop.is_set() else self._shut_until
        return until is not None and now < until

    def _arrived(self) -> Job | None:
        """Take a fresh letter that has come."""
        for pull in [pull for pull in self._pulls if pull.done()]:
            self._pulls.remove(pull)
            if (job := pull.result()) is not None:
                return job
            # Each lane is told; once is enough.
            self._ended = True
        return None

    async def _pull(self, seconds: float) -> None:
        """Wait for a fresh letter, but not too long: others may be due before."""
        # Not cancelled afterwards: a letter may just have been given to it.
        if self._waiting >= len(self._pulls):
            self._pulls.append(asyncio.ensure_future(self._source.next_job()))
        nap: asyncio.Future[Any] = asyncio.ensure_future(self._sleep(seconds))
        self._waiting += 1
        try:
            await asyncio.wait({nap, *self._pulls}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._waiting -= 1
            nap.cancel()

    async def _put_off(self, job: Job, wait: Wait) -> None:
        key = wait.limit.key
        if key == RELAY:
            # Nobody else may go either, so nothing more is taken from the feeder.
            self._shut_until = wait.until
            self._aside.put(key, job, wait.until)
            return
        is_soon = wait.until - self._clock() <= _PATIENCE
        if key != WARM_UP and is_soon and self._aside.has_room(key, job):
            self._aside.put(key, job, wait.until)
            return
        turn = wait.until
        if key != WARM_UP:
            # Behind those aside and those given back before. Somebody waits for a
            # notice: it queues behind its like only.
            ahead, spacing = self._aside.count(key, job), wait.limit.spacing
            queue = key if _is_edition(job) else f"notice:{key}"
            first = wait.until + ahead * spacing
            turn = self._turns.take(queue, spacing, first, self._clock())
        claim = job.claim
        claim.not_before = min(claim.not_before or turn, turn)
        await self._source.finish(job)


class Turns:
    """When letters that were given back are due, guessed: one after the other."""

    def __init__(self) -> None:
        self._next: dict[str, datetime] = {}

    def __len__(self) -> int:
        return len(self._next)

    def take(
        self, queue: str, spacing: timedelta, first: datetime, now: datetime
    ) -> datetime:
        """Take the next turn in a queue, not before the first that is free."""
        turn = max(self._next.get(queue, first), first)
        longest = now + _LONGEST
        if turn > longest:
            return longest
        if len(self._next) >= _MOST_TURNS:
            # One limit for each domain makes many; those that are past say nothing.
            self._next = {key: at for key, at in self._next.items() if at > now}
        self._next[queue] = turn + spacing
        return turn


class Aside:
    """Letters that wait for permits, by the limit they wait for."""

    def __init__(self) -> None:
        self._letters: dict[str, list[_Place]] = defaultdict(list)
        self._until: dict[str, datetime] = {}
        self._times: list[tuple[datetime, str]] = []
        self._order = count()
        self._totals: Counter[LetterKind] = Counter()

    @property
    def next_at(self) -> datetime | None:
        """When the first may be asked for again; None: there are none."""
        return self._times[0][0] if self._times else None

    def count(self, key: str, job: Job) -> int:
        """Count the letters that wait for one limit and go before this one."""
        waiting = len(self._letters.get(key, ()))
        return waiting if _is_edition(job) else min(waiting, self._totals[job.kind])

    def has_room(self, key: str, job: Job) -> bool:
        """Tell whether one more may wait here; editions take notices no room."""
        if not _is_edition(job):
            return self._totals[job.kind] < _MOST_NOTICES
        return (
            self._totals[job.kind] < _MOST and self.count(key, job) < _MOST_OF_A_DOMAIN
        )

    def put(self, key: str, job: Job, until: datetime) -> None:
        """Keep a letter; all that wait for the same limit wait as long."""
        place = (_is_edition(job), job.letter_id, next(self._order), job)
        heappush(self._letters[key], place)
        self._totals[job.kind] += 1
        if self._until.get(key) != until:
            self._until[key] = until
            heappush(self._times, (until, key))

    def pop(self, now: datetime | None) -> Job | None:
        """Take a letter whose time has come; None as the time: any letter."""
        while self._times:
            until, key = self._times[0]
            if self._until.get(key) != until:
                heappop(self._times)
            elif now is not None and now < until:
                return None
            else:
                return self._take(key)
        return None

    def _take(self, key: str) -> Job:
        letters = self._letters[key]
        job = heappop(letters)[-1]
        self._totals[job.kind] -= 1
        if not letters:
            del self._letters[key], self._until[key]
        return job


def _is_edition(job: Job) -> bool:
    return job.kind == LetterKind.DELIVERY


def _nap(until: datetime | None, now: datetime) -> float:
    if until is None:
        return _NAP_SECONDS
    return min(max((until - now).total_seconds(), 0), _NAP_SECONDS)
