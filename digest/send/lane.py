"""A lane: carries one letter at a time; a worker has one for each connection."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog

from digest.domain.deliveries import Intent, Permit, Result
from digest.domain.states import DeliveryState
from digest.mail.smtp import Abandoned, Broken, Envelope, Outcome, Pool, Refused
from digest.send.job import Job, Totals
from digest.send.ledger import Ledger, skip
from digest.send.outcome import Judge
from digest.send.post import Clock, Post

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
        while self._trying and not (self.is_closed(now) or self.is_crowded(now)):
            await self._news.wait()

    def answered(self, now: datetime) -> None:
        """Note that a server spoke with us about a letter."""
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


class Lane:
    """Carries letters one after the other.

    Args:
        post: The worker's rules.
        pool: Connections to the relay.
        ledger: Where everything is written.
        watch: Shared by all lanes.
        totals: Counted here.
        clock: The time.
    """

    def __init__(
        self,
        post: Post,
        *,
        pool: Pool,
        ledger: Ledger,
        watch: RelayWatch,
        totals: Totals,
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._ledger = ledger
        self._watch = watch
        self._totals = totals
        self._clock = clock
        self._roll = post.roll
        self._turn = post.turn
        self._judge = Judge(post.retry, post.uncertain)

    async def carry(self, job: Job) -> None:
        """Carry one letter, or leave it as it is where its claim is over."""
        if job.claim.is_over:
            return
        if job.bar is not None:
            letter = self._intent(job, self._clock())
            await self._record(job, skip(letter, job.bar))
            return
        dated_at = job.dated_at or self._clock().replace(microsecond=0)
        envelope = await self._write(job, dated_at)
        if envelope is not None:
            await self._send(job, envelope, dated_at)

    async def _write(self, job: Job, dated_at: datetime) -> Envelope | None:
        """Write the letter; one that cannot be written fails, the others go on."""
        try:
            return job.write(dated_at)
        except Exception as error:  # noqa: BLE001 - whatever one row holds
            _log.exception("letter.unwritable", kind=job.kind, id=job.letter_id)
            result = Result(
                lease=job.claim.lease,
                letter_id=job.letter_id,
                at=self._clock(),
                state=DeliveryState.FAILED,
                reason=f"cannot be written: {type(error).__name__}: {error}",
                tried=False,
            )
            await self._record(job, result)
            return None

    async def _send(self, job: Job, envelope: Envelope, dated_at: datetime) -> None:
        while not job.claim.is_over:
            now = self._clock()
            if self._watch.is_closed(now):
                job.claim.not_before = self._watch.closed_until
                return
            permit: Permit | None = None

            async def may_send() -> bool:
                nonlocal permit
                permit = await self._ledger.record(self._intent(job, dated_at))
                return permit == Permit.GRANTED

            with self._watch.trying():
                outcome = await self._pool.send(envelope, before_data=may_send)
            if isinstance(outcome, Abandoned):
                self._note_refusal(job, permit)
                return
            trouble = _relay_trouble(outcome)
            if trouble is None:
                await self._keep(job, outcome, intended=permit == Permit.GRANTED)
                return
            await self._wait_or_close(trouble)

    def _intent(self, job: Job, dated_at: datetime) -> Intent:
        return Intent(
            lease=job.claim.lease,
            letter_id=job.letter_id,
            at=self._clock(),
            dated_at=dated_at,
        )

    def _note_refusal(self, job: Job, permit: Permit | None) -> None:
        """Heed why the ledger did not let a letter go."""
        self._watch.answered(self._clock())
        if permit == Permit.BARRED:
            self._totals.skipped += 1
        elif permit == Permit.LOST:
            job.claim.lost = True
        else:
            job.claim.closed = True

    async def _wait_or_close(self, trouble: str) -> None:
        """A server may allow fewer connections than we want; then wait for a turn."""
        now = self._clock()
        await self._watch.others_know(now)
        if self._watch.is_crowded(now):
            await asyncio.sleep(self._turn.total_seconds())
        else:
            self._watch.failed(trouble, now)

    async def _keep(self, job: Job, outcome: Outcome, *, intended: bool) -> None:
        now = self._clock()
        self._watch.answered(now)
        result = self._judge.result(
            job, outcome, intended=intended, now=now, roll=self._roll()
        )
        await self._record(job, result)

    async def _record(self, job: Job, result: Result) -> None:
        if await self._ledger.record(result) == Permit.LOST:
            job.claim.lost = True
            return
        _count(self._totals, result)


def _relay_trouble(outcome: Outcome) -> str | None:
    """Say why no conversation came about; None: it did, and concerns the letter."""
    match outcome:
        case Refused(reply=reply, stage="connect" | "ehlo"):
            return str(reply)
        case Broken(stage="connect" | "ehlo", reason=reason):
            return reason
        case _:
            return None


def _count(totals: Totals, result: Result) -> None:
    name = str(result.state)
    setattr(totals, name, getattr(totals, name) + 1)
