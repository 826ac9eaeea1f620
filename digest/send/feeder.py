"""The feeder: claims what is due, hands it to the lanes, gives it back."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import structlog

from digest.domain.actor import WORKER
from digest.domain.deliveries import Lease, LetterKind
from digest.domain.errors import StateError
from digest.domain.states import EditionState
from digest.mail.reply import one_line
from digest.send import progress, steering
from digest.send.claimer import Claimer, View
from digest.send.job import Claim, Job
from digest.send.ledger import Ledger
from digest.send.loader import Loader
from digest.send.notice_letter import NoticeLetters
from digest.send.post import Clock, Post
from digest.send.queue import Queue
from digest.storage import (
    chunks,
    deliveries,
    editions,
    ledger as rows,
    notice_ledger,
)
from digest.storage.chunks import Chunk

_log = structlog.get_logger()
_BETWEEN_LOOKS_SECONDS = 0.2
_UNTIL_MENDED = timedelta(minutes=10)


class Feeder:
    """Keeps the lanes supplied; notices go before editions' letters.

    Args:
        post: The worker's rules.
        ledger: Its thread does all writing.
        clock: The time.
    """

    def __init__(self, post: Post, *, ledger: Ledger, clock: Clock) -> None:
        self._post = post
        self._ledger = ledger
        self._clock = clock
        self._claims: dict[Lease, Claim] = {}
        self._claimer = Claimer(post, held=self._held, clock=clock)
        self._loader = Loader(post, clock=clock)
        self._notices = NoticeLetters(
            site=post.site, secrets=post.secrets, signer=post.signer
        )
        self._wake = asyncio.Event()
        self._queue = Queue(on_low=self._wake.set)
        self._queue.low = post.connections

    async def run(self, *, stop: asyncio.Event, until_idle: bool) -> None:
        """Supply the lanes.

        Args:
            stop: Claim nothing more and end.
            until_idle: End once nothing is due and nobody holds a lease.
        """
        try:
            while not stop.is_set():
                view = await self._ledger.consult(self._claimer.look)
                may_send = await self._ledger.consult(partial(self._may_send, view))
                if may_send:
                    await self._act(view)
                if until_idle and not (self._claims or (may_send and view.is_any)):
                    return
                await self._rest(stop)
        finally:
            for claim in self._claims.values():
                claim.closed = True
            self._queue.close()

    def _may_send(self, view: View) -> bool:
        guard = self._post.guard
        return guard is None or guard.allows(busy=view.is_any)

    def take(self) -> Job | None:
        """Take a letter to carry; None: there is none now."""
        return self._queue.take()

    async def next_job(self) -> Job | None:
        """Wait for a letter to carry; None: there will be no more."""
        return await self._queue.next()

    def put_back(self, job: Job) -> None:
        """Take a letter back that could not be tried; it goes before all others."""
        self._queue.put_back(job)

    async def finish(self, job: Job) -> None:
        """Note that a lane is through with a letter; the last one ends the claim."""
        claim = job.claim
        claim.outstanding -= 1
        if not claim.outstanding:
            await self._end(claim)

    async def carry_chunk(self, edition_id: int, number: int) -> None:
        """Look for work now; return once somebody holds the chunk, or nobody may."""

        def is_waiting() -> bool:
            return self._claimer.is_waiting(edition_id, number)

        while await self._ledger.consult(is_waiting):
            self._wake.set()
            await asyncio.sleep(_BETWEEN_LOOKS_SECONDS)

    async def beat(self) -> None:
        """Renew every lease until cancelled."""
        while True:
            await asyncio.sleep(self._post.heartbeat.total_seconds())
            leases = [c.lease for c in self._claims.values() if not c.lost]
            await self._ledger.renew(leases)

    def _held(self, kind: LetterKind) -> list[int]:
        # Called in other threads: this makes a list of a dictionary at one go.
        return [lease.row_id for lease in list(self._claims) if lease.kind == kind]

    async def _rest(self, stop: asyncio.Event) -> None:
        """Wait until lanes run short, the next look is due, or the worker stops."""
        waits = [
            asyncio.ensure_future(self._wake.wait()),
            asyncio.ensure_future(stop.wait()),
        ]
        await asyncio.wait(
            waits,
            timeout=self._post.poll.total_seconds(),
            return_when=asyncio.FIRST_COMPLETED,
        )
        for wait in waits:
            wait.cancel()
        self._wake.clear()

    async def _act(self, view: View) -> None:
        if view.finished:
            await self._ledger.persist(self._finish_editions)
        # What a dead worker left is looked after however much waits here: its letters
        # may be in doubt, and a challenge counts only where it is followed up.
        if LetterKind.NOTICE in view.silent:
            await self._take_notices(free=False)
        if LetterKind.DELIVERY in view.silent:
            await self._take_chunk(free=False)
        if view.notices and self._queue.has_few_notices:
            await self._take_notices()
        if view.chunks:
            while self._queue.is_low and await self._take_chunk():
                pass

    def _finish_editions(self) -> None:
        progress.finish_editions(self._post.db, actor=WORKER, now=self._clock())

    async def _take_notices(self, *, free: bool = True) -> None:
        claim = partial(self._claimer.claim_notices, free=free)
        for notice in await self._ledger.persist(claim):
            held = Claim(lease=notice.lease)
            writer = self._notices.write
            job = Job(claim=held, letter=notice, bar=None, writer=writer)
            self._supply(held, [job])

    async def _take_chunk(self, *, free: bool = True) -> bool:
        """Claim the next chunk; False: none is due."""
        claim = partial(self._claimer.claim_chunk, free=free)
        chunk = await self._ledger.persist(claim)
        if chunk is None:
            return False
        held = Claim(lease=chunk.lease, chunk=chunk)
        # From here on its lease is renewed, however long it takes to load.
        self._claims[held.lease] = held
        jobs = await self._load(held, chunk)
        self._queue.low = max(self._post.connections, len(jobs) // 2)
        self._supply(held, jobs)
        if not jobs:
            await self._end(held)
        return True

    async def _load(self, claim: Claim, chunk: Chunk) -> list[Job]:
        """Load a chunk; where that fails, its edition stops and the others go on."""
        try:
            return await self._ledger.consult(lambda: self._loader.load(claim, chunk))
        except Exception as error:  # noqa: BLE001 - whatever one edition holds
            _log.exception("edition.unloadable", id=chunk.edition_id)
            words = one_line(f"{type(error).__name__}: {error}")
            reason = f"its letters cannot be made: {words}"
            await self._ledger.persist(lambda: self._stop(claim, chunk, reason))
            return []

    def _stop(self, claim: Claim, chunk: Chunk, reason: str) -> None:
        now = self._clock()
        try:
            steering.pause(
                self._post.db,
                edition_id=chunk.edition_id,
                reason=reason,
                actor=WORKER,
                now=now,
            )
        except StateError:
            # What is sent already cannot be paused, but can wait.
            claim.not_before = now + _UNTIL_MENDED

    def _supply(self, claim: Claim, jobs: Sequence[Job]) -> None:
        claim.outstanding = len(jobs)
        self._claims[claim.lease] = claim
        self._queue.put(jobs)

    async def _end(self, claim: Claim) -> None:
        is_given_back = claim.chunk is None and claim.settled
        if not (claim.lost or is_given_back):
            await self._ledger.persist(lambda: self._give_back(claim))
        del self._claims[claim.lease]
        self._wake.set()

    def _give_back(self, claim: Claim) -> None:
        now = self._clock()
        with self._post.db.write() as tx:
            if claim.lease not in rows.held(tx, [claim.lease]):
                return
            if claim.chunk is None:
                not_before = claim.not_before or now
                notice_ledger.give_back(tx, claim.lease, not_before=not_before)
                return
            edition = editions.get(tx, claim.chunk.edition_id)
            if edition.state == EditionState.CANCELLED:
                # One that was under way may have come back deferred.
                deliveries.cancel_open(tx, edition.id, now=now)
            chunks.give_back(tx, claim.chunk, now=now, not_before=claim.not_before)
        self._finish_editions()
