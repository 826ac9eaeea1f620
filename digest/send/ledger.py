"""The ledger: what is about to happen and what happened, durable in groups.

Whoever waits while one commit runs shares the next: durability costs one commit a
round, not one a letter (design rule 3). All writing is done by one thread.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import structlog

from digest.domain.deliveries import Intent, Lease, LetterKind, Permit, Result
from digest.domain.states import DeliveryState
from digest.send.post import Clock
from digest.storage import bars, leases, ledger as rows, usual
from digest.storage.engine import TROUBLE, Database, Tx
from digest.storage.usual import UsualGroup

Entry = Intent | Result
Key = tuple[LetterKind, int]
Answer = TypeVar("Answer")
Persist = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs something that writes until it succeeds: `Ledger.persist`."""

_log = structlog.get_logger()
_RETRY_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class _Renewal:
    """A heartbeat: leases of living work last on."""

    leases: Sequence[Lease]


Entries = Sequence[Entry | _Renewal]
Permits = Sequence[Permit]


class _Waiting(NamedTuple):
    """Somebody's entries, and where they wait for them to be durable."""

    entries: Entries
    done: asyncio.Future[Permits]


class Ledger:
    """Writes entries for the lanes of one worker while `write_groups` runs.

    Args:
        db: The database.
        worker: The worker's name, kept with each attempt.
        lease: How long a claim lasts from each heartbeat.
        clock: The time.
    """

    def __init__(
        self, db: Database, *, worker: str, lease: timedelta, clock: Clock
    ) -> None:
        self._db = db.writer()
        self._worker = worker
        self._lease = lease
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._wake = asyncio.Event()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="reader")
        self.commits = 0

    def record(self, *entries: Entry) -> asyncio.Future[Permits]:
        """Write entries, in one transaction.

        Args:
            entries: A letter's result, before the same lane writes the next letter;
                an intent, before that letter is written.

        Returns:
            A future, done once they are durable: for each GRANTED, or why it was not
            written.
        """
        return self._add(entries)

    async def renew(self, leases: Sequence[Lease]) -> None:
        """Lengthen leases, in the same groups."""
        if leases:
            await self._add([_Renewal(leases=leases)])

    async def persist(self, work: Callable[[], Answer]) -> Answer:
        """Run something that writes, in the writer's own thread, until it succeeds.

        While the database is away or full, everybody waits here and nobody sends.
        """
        return await insist(self._writer, work)

    async def consult(self, work: Callable[[], Answer]) -> Answer:
        """Run something that only reads, beside the writer, until it succeeds."""
        return await insist(self._reader, work)

    async def write_groups(self) -> None:
        """Commit group after group until cancelled.

        Raises:
            Exception: A bug; whoever waits is cancelled.
        """
        try:
            while True:
                await self._wake.wait()
                # Lanes whose answers came in the same round share this commit.
                await asyncio.sleep(0)
                self._wake.clear()
                group, self._waiting = self._waiting, []
                await self._write_group(group)
        finally:
            self._writer.submit(self._db.close)
            self._writer.shutdown(wait=False)
            self._reader.shutdown(wait=False)

    def _add(self, entries: Entries) -> asyncio.Future[Permits]:
        done: asyncio.Future[Permits] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(entries, done))
        self._wake.set()
        return done

    async def _write_group(self, group: Sequence[_Waiting]) -> None:
        entries = [entry for waiting in group for entry in waiting.entries]
        try:
            permits = iter(await self.persist(lambda: self._commit(entries)))
        except BaseException:
            # A lane must not wait for a writer that is gone.
            for waiting in group:
                waiting.done.cancel()
            raise
        self.commits += 1
        for waiting in group:
            own = list(islice(permits, len(waiting.entries)))
            # A lane that was stopped does not wait any more.
            if not waiting.done.done():
                waiting.done.set_result(own)

    def _commit(self, entries: Entries) -> Permits:
        """Write a group; the usual one in one statement, any other with care."""
        if (group := _usual_group(entries)) is not None:
            with self._db.write_alone() as tx:
                if usual.write(tx, group):
                    return [Permit.GRANTED] * len(entries)
        return self._commit_carefully(entries)

    def _commit_carefully(self, entries: Entries) -> Permits:
        intents = [e for e in entries if isinstance(e, Intent)]
        results = [e for e in entries if isinstance(e, Result)]
        concerned = {i.lease for i in intents} | {r.lease for r in results}
        permits: dict[Key, Permit] = {}
        with self._db.write() as tx:
            held = rows.held(tx, concerned)
            for kind in {lease.kind for lease in held}:
                done = [r for r in results if r.lease in held and r.lease.kind == kind]
                rows.settle(tx, kind, done, worker=self._worker)
                asked = [
                    i for i in intents if i.lease.kind == kind and held.get(i.lease)
                ]
                permits |= _permit(tx, kind, asked, worker=self._worker)
            # Written already where the database's answer was lost, or where the
            # usual way wrote a part; then the edition was paused.
            late = [i.letter_id for i in intents if held.get(i.lease) is False]
            if late:
                rows.take_back(tx, late)
            for renewal in (e for e in entries if isinstance(e, _Renewal)):
                # Only now: it may have waited long for its turn to write.
                leases.renew(tx, renewal.leases, until=self._clock() + self._lease)
        return [_answer(entry, held, permits) for entry in entries]


def _usual_group(entries: Entries) -> UsualGroup | None:
    """Return the entries where none needs care: see `storage.usual`."""
    sent: list[Result] = []
    intents: list[Intent] = []
    concerned: set[Lease] = set()
    for entry in entries:
        if isinstance(entry, Intent):
            intents.append(entry)
        elif isinstance(entry, Result) and entry.state == DeliveryState.SENT:
            sent.append(entry)
        else:
            return None
        concerned.add(entry.lease)
    if len(concerned) != 1 or (lease := concerned.pop()).kind != LetterKind.DELIVERY:
        return None
    return UsualGroup(lease=lease, sent=sent, intents=intents)


async def insist(thread: ThreadPoolExecutor, work: Callable[[], Answer]) -> Answer:
    """Run something on a thread until the database does its work."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            return await loop.run_in_executor(thread, work)
        except TROUBLE as error:
            _log.warning("ledger.waiting", reason=str(error.orig))
            await asyncio.sleep(_RETRY_SECONDS)


def _permit(
    tx: Tx, kind: LetterKind, intents: Sequence[Intent], *, worker: str
) -> dict[Key, Permit]:
    """Make letters `dispatching`; those whose readers left are `skipped` instead."""
    if not intents:
        return {}
    granted = rows.intend(tx, kind, intents)
    permits = {(kind, letter_id): Permit.GRANTED for letter_id in granted}
    others = {i.letter_id: i for i in intents if i.letter_id not in granted}
    if not others:
        return permits
    barred = bars.barred(tx, kind, list(others), now=intents[0].at)
    skipped = [skip(others[letter_id], bar) for letter_id, bar in barred.items()]
    rows.settle(tx, kind, skipped, worker=worker)
    return permits | {(kind, letter_id): Permit.BARRED for letter_id in barred}


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
    permits: Mapping[Key, Permit],
) -> Permit:
    if isinstance(entry, _Renewal):
        return Permit.GRANTED
    if entry.lease not in held:
        return Permit.LOST
    if isinstance(entry, Result):
        return Permit.GRANTED if held[entry.lease] else Permit.CLOSED
    return permits.get((entry.lease.kind, entry.letter_id), Permit.CLOSED)
