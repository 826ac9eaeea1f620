"""The ledger: what is about to happen and what happened, durable in groups.

Whoever waits while one commit runs shares the next: durability costs one commit a
round, not one a letter (design rule 3). All writing is done by one thread.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import structlog

from digest.domain.deliveries import Intent, Lease, LetterKind, Permit, Result
from digest.domain.states import DeliveryState
from digest.storage import bars, ledger as rows
from digest.storage.engine import TROUBLE, Database, Tx

Entry = Intent | Result
Answer = TypeVar("Answer")

_log = structlog.get_logger()
_RETRY_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class _Renewal:
    """A heartbeat: leases of living work last until then."""

    leases: Sequence[Lease]
    until: datetime


@dataclass(frozen=True)
class _Waiting:
    """Somebody's entry, and where they wait for it to be durable."""

    entry: Entry | _Renewal
    done: asyncio.Future[Permit]


class Ledger:
    """Writes entries for the lanes of one worker while `write_groups` runs.

    Args:
        db: The database.
        worker: The worker's name, kept with each attempt.
    """

    def __init__(self, db: Database, *, worker: str) -> None:
        self._db = db
        self._worker = worker
        self._waiting: list[_Waiting] = []
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self.commits = 0

    async def record(self, entry: Entry) -> Permit:
        """Write one entry.

        Args:
            entry: An intent, before the letter's DATA; or a result, before the same
                lane begins its next letter.

        Returns:
            Once it is durable: GRANTED. Or why it was not written.
        """
        return await self._add(entry)

    async def renew(self, leases: Sequence[Lease], *, until: datetime) -> None:
        """Lengthen leases, in the same groups."""
        if leases:
            await self._add(_Renewal(leases=leases, until=until))

    async def persist(self, work: Callable[[], Answer]) -> Answer:
        """Run something that writes, in the writer's own thread, until it succeeds.

        While the database is away or full, everybody waits here and nobody sends.
        """
        loop = asyncio.get_running_loop()
        while True:
            try:
                return await loop.run_in_executor(self._thread, work)
            except TROUBLE as error:
                _log.warning("ledger.waiting", reason=str(error.orig))
                await asyncio.sleep(_RETRY_SECONDS)

    async def write_groups(self) -> None:
        """Commit group after group until cancelled.

        Raises:
            Exception: A bug; whoever waits is cancelled.
        """
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                group, self._waiting = self._waiting, []
                await self._write_group(group)
        finally:
            self._thread.shutdown(wait=False)

    def _add(self, entry: Entry | _Renewal) -> asyncio.Future[Permit]:
        done: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(entry, done))
        self._wake.set()
        return done

    async def _write_group(self, group: Sequence[_Waiting]) -> None:
        entries = [waiting.entry for waiting in group]
        try:
            permits = await self.persist(lambda: self._commit(entries))
        except BaseException:
            # A lane must not wait for a writer that is gone.
            for waiting in group:
                waiting.done.cancel()
            raise
        self.commits += 1
        for waiting, permit in zip(group, permits, strict=True):
            # A lane that was stopped does not wait any more.
            if not waiting.done.done():
                waiting.done.set_result(permit)

    def _commit(self, entries: Sequence[Entry | _Renewal]) -> Sequence[Permit]:
        intents = [e for e in entries if isinstance(e, Intent)]
        results = [e for e in entries if isinstance(e, Result)]
        leases = {i.lease for i in intents} | {r.lease for r in results}
        permits: dict[Intent, Permit] = {}
        with self._db.write() as tx:
            held = rows.held(tx, leases)
            for kind in LetterKind:
                done = [r for r in results if r.lease in held and r.lease.kind == kind]
                rows.settle(tx, kind, done, worker=self._worker)
                asked = [
                    i for i in intents if i.lease.kind == kind and held.get(i.lease)
                ]
                permits |= _permit(tx, kind, asked, worker=self._worker)
            for renewal in (e for e in entries if isinstance(e, _Renewal)):
                rows.renew(tx, renewal.leases, until=renewal.until)
        return [_answer(entry, held, permits) for entry in entries]


def _permit(
    tx: Tx, kind: LetterKind, intents: Sequence[Intent], *, worker: str
) -> dict[Intent, Permit]:
    """Make letters `dispatching`; those whose readers left are `skipped` instead."""
    if not intents:
        return {}
    granted = rows.intend(tx, kind, intents)
    permits = {i: Permit.GRANTED for i in intents if i.letter_id in granted}
    others = [i for i in intents if i.letter_id not in granted]
    if not others:
        return permits
    barred = bars.barred(tx, kind, [i.letter_id for i in others], now=others[0].at)
    skipped = [skip(i, barred[i.letter_id]) for i in others if i.letter_id in barred]
    rows.settle(tx, kind, skipped, worker=worker)
    return permits | {
        i: Permit.BARRED if i.letter_id in barred else Permit.CLOSED for i in others
    }


def skip(letter: Intent, reason: str) -> Result:
    """Say that a letter is not sent, on purpose."""
    return Result(
        lease=letter.lease,
        letter_id=letter.letter_id,
        at=letter.at,
        state=DeliveryState.SKIPPED,
        reason=reason,
        tried=False,
    )


def _answer(
    entry: Entry | _Renewal,
    held: Mapping[Lease, bool],
    permits: Mapping[Intent, Permit],
) -> Permit:
    if isinstance(entry, _Renewal):
        return Permit.GRANTED
    if entry.lease not in held:
        return Permit.LOST
    if isinstance(entry, Result):
        return Permit.GRANTED
    return permits.get(entry, Permit.CLOSED)
