"""A lane: carries one letter at a time over one line; a worker has several.

While one letter's answer and commit are waited for, the next one is written, and its
envelope rides with the letter before it (RFC 2920). What became of a letter is recorded
with the next one's intent, in one transaction (design rule 3).
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from digest.domain.deliveries import Intent, Permit, Result
from digest.domain.states import DeliveryState
from digest.mail.smtp import Abandoned, Envelope, Line, Outcome
from digest.send.job import Job, Totals
from digest.send.ledger import Ledger, skip
from digest.send.outcome import Judge, relay_trouble
from digest.send.post import Clock, Post
from digest.send.storm import StormWatch
from digest.send.watch import RelayWatch

_log = structlog.get_logger()


class Source(Protocol):
    """Where letters come from."""

    def take(self) -> Job | None:
        """Take a letter that may go now; None: there is none."""

    async def next_job(self) -> Job | None:
        """Wait for a letter; None: there will be no more."""

    def put_back(self, job: Job) -> None:
        """Take a letter back that could not be tried; it goes before all others."""

    async def finish(self, job: Job) -> None:
        """Note that a letter is done with."""


@dataclass(slots=True)
class _Draft:
    """A letter that was written, or why it is not sent."""

    job: Job
    dated_at: datetime
    envelope: Envelope | None = None
    result: Result | None = None


class Lane:
    """Carries letters one after the other.

    Args:
        post: The worker's rules.
        line: The lane's own connection to the relay.
        source: Where its letters come from.
        ledger: Where everything is written.
        watch: Shared by all lanes.
        storms: Told of each answer.
        totals: Counted here.
        clock: The time.
    """

    def __init__(
        self,
        post: Post,
        *,
        line: Line,
        source: Source,
        ledger: Ledger,
        watch: RelayWatch,
        storms: StormWatch,
        totals: Totals,
        clock: Clock,
    ) -> None:
        self._line = line
        self._source = source
        self._ledger = ledger
        self._watch = watch
        self._storms = storms
        self._totals = totals
        self._clock = clock
        self._roll = post.roll
        self._turn = post.turn
        self._judge = Judge(post.retry, post.uncertain)
        self._pending: tuple[Job, Result] | None = None
        self._ahead: _Draft | None = None
        self._current: _Draft
        self._permit: Permit | None = None
        self._done: deque[Job] = deque()
        self._has_news = False
        self._flushing = asyncio.Lock()

    async def run(self) -> None:
        """Carry letters until there will be no more."""
        async with self._line:
            while (draft := await self._next_draft()) is not None:
                if draft.envelope is not None:
                    await self._carry(draft, draft.envelope)
                elif draft.result is not None:
                    await self.flush()
                    self._pending = (draft.job, draft.result)
                else:
                    self._done.append(draft.job)
                    await self.flush()

    async def flush(self) -> None:
        """Make the last letter's result durable, and see to what follows from it."""
        # Whoever comes second waits: a lane must not end before what a sweep began.
        async with self._flushing:
            if (pending := self._take_pending()) is not None:
                (permit,) = await self._ledger.record(pending[1])
                self._heed(pending, permit)
            if self._has_news:
                self._has_news = False
                await self._storms.share()
            while self._done:
                await self._source.finish(self._done.popleft())

    def _take_pending(self) -> tuple[Job, Result] | None:
        pending, self._pending = self._pending, None
        return pending

    def _heed(self, pending: tuple[Job, Result], permit: Permit) -> None:
        """Heed that a result is durable, or why it never will be.

        It awaits nothing: between the next letter's permit and its text a reader may
        leave, or the edition be paused. `flush` does what takes time.
        """
        job, result = pending
        if permit == Permit.LOST:
            job.claim.lost = True
        else:
            job.claim.settled = True
            job.claim.closed |= permit == Permit.CLOSED
            self._totals.count(result)
            self._has_news |= self._storms.hear(job, result)
        self._done.append(job)

    async def _next_draft(self) -> _Draft | None:
        draft, self._ahead = self._ahead, None
        if draft is not None:
            return draft
        job = self._source.take()
        if job is None:
            await self.flush()
            job = await self._wait_for_job()
        return None if job is None else self._write(job)

    async def _wait_for_job(self) -> Job | None:
        """Wait; after a while without the connection, which others may need."""
        coming = asyncio.ensure_future(self._source.next_job())
        try:
            await asyncio.wait([coming], timeout=self._turn.total_seconds())
            if not coming.done():
                await self._line.close()
            return await coming
        finally:
            coming.cancel()

    def _write(self, job: Job) -> _Draft:
        """Write a letter; one that cannot be written fails, the others go on."""
        dated_at = job.dated_at or self._clock().replace(microsecond=0)
        draft = _Draft(job, dated_at)
        if job.claim.is_over:
            return draft
        if job.bar is not None:
            draft.result = skip(self._intent(draft), job.bar)
            return draft
        if self._is_shut(job):
            return draft
        try:
            draft.envelope = job.write(dated_at)
        except Exception as error:  # noqa: BLE001 - whatever one row holds
            _log.exception("letter.unwritable", kind=job.kind, id=job.letter_id)
            draft.result = Result(
                lease=job.claim.lease,
                letter_id=job.letter_id,
                at=self._clock(),
                state=DeliveryState.FAILED,
                reason=f"cannot be written: {type(error).__name__}: {error}",
                tried=False,
            )
        return draft

    def _is_shut(self, job: Job) -> bool:
        """Tell whether the relay is left alone; the letter's claim then waits, too."""
        if not self._watch.is_closed(self._clock()):
            return False
        job.claim.not_before = self._watch.closed_until
        return True

    async def _carry(self, draft: _Draft, envelope: Envelope) -> None:
        """Carry one letter, or leave it as it is."""
        job, self._current, self._permit = draft.job, draft, None
        outcome = await self._send(job, envelope)
        trouble = relay_trouble(outcome) if self._is_untried() else None
        if outcome is not None and trouble is None:
            # Only a line that broke leaves one pending: `_may_send` took it along.
            await self.flush()
            self._pending = (job, self._result(job, outcome))
            return
        self._line.give_up(envelope)
        if trouble is None:
            self._done.append(job)
        else:
            await self._wait_or_close(job, trouble)
        await self.flush()

    async def _send(self, job: Job, envelope: Envelope) -> Outcome | None:
        """Try it; None: the letter is left as it is."""
        if job.claim.is_over or self._is_shut(job):
            return None
        if not self._line.is_open:
            # To connect may take minutes.
            await self.flush()
        with self._watch.trying():
            outcome = await self._line.send(
                envelope, before_data=self._may_send, following=self._following
            )
        if isinstance(outcome, Abandoned):
            self._note_refusal(job)
            return None
        return outcome

    async def _may_send(self) -> bool:
        """Record the last result and this intent; write the next letter meanwhile."""
        intent, pending = self._intent(self._current), self._take_pending()
        if pending is None:
            recorded = self._ledger.record(intent)
        else:
            recorded = self._ledger.record(pending[1], intent)
        if self._ahead is None and (job := self._source.take()) is not None:
            self._ahead = self._write(job)
        permits = await recorded
        if pending is not None:
            self._heed(pending, permits[0])
        self._permit = permits[-1]
        return self._permit == Permit.GRANTED

    def _following(self) -> Envelope | None:
        """Return the letter whose envelope may ride with the one being handed over."""
        if self._ahead is None or self._ahead.job.claim.is_over:
            return None
        return self._ahead.envelope

    def _intent(self, draft: _Draft) -> Intent:
        return Intent(
            lease=draft.job.claim.lease,
            letter_id=draft.job.letter_id,
            at=self._clock(),
            dated_at=draft.dated_at,
        )

    def _is_untried(self) -> bool:
        return self._permit is None

    def _note_refusal(self, job: Job) -> None:
        """Heed why the ledger did not let a letter go."""
        self._watch.answered(self._clock())
        if self._permit == Permit.BARRED:
            job.claim.settled = True
            self._totals.skipped += 1
        elif self._permit == Permit.LOST:
            job.claim.lost = True
        else:
            job.claim.closed = True

    async def _wait_or_close(self, job: Job, trouble: str) -> None:
        """A server may allow fewer connections than we want; then wait for a turn."""
        now = self._clock()
        await self._watch.others_know(now)
        if self._watch.is_crowded(now):
            # Not with the letter: another lane has a connection for it.
            self._source.put_back(job)
            await asyncio.sleep(self._turn.total_seconds())
        else:
            self._watch.failed(trouble, now)
            job.claim.not_before = self._watch.closed_until
            self._done.append(job)

    def _result(self, job: Job, outcome: Outcome) -> Result:
        now = self._clock()
        if relay_trouble(outcome) is None:
            self._watch.answered(now)
        return self._judge.result(
            job,
            outcome,
            intended=self._permit == Permit.GRANTED,
            now=now,
            roll=self._roll(),
        )
