"""The gate: who must wait holds up nobody else, and is not forgotten."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from digest.domain.deliveries import Delivery, Lease, LetterKind, Notice
from digest.domain.letters import NewNotice
from digest.domain.rates import RateRules
from digest.domain.states import DeliveryState, SkipReason
from digest.send.gate import Gate, Turns
from digest.send.job import Claim, Job
from digest.send.queue import Queue
from digest.send.throttle import Throttle
from digest.storage.engine import Database
from tests.builders import NOW
from tests.posting import Clock, make_notice


def unwritten(_letter: NewNotice, *, dated_at: datetime) -> Any:
    """No letter is written here."""


def make_claim(number: int = 1) -> Claim:
    """A chunk in our hands."""
    return Claim(lease=Lease(kind=LetterKind.DELIVERY, row_id=number, fence=1))


def make_jobs(
    claim: Claim, *domains: str, bar: SkipReason | None = None, start: int = 1
) -> list[Job]:
    """One letter to each domain."""
    jobs = []
    for number, domain in enumerate(domains, start):
        letter = Delivery(
            id=number,
            edition_id=1,
            subscription_id=1,
            variant_id=1,
            address=f"r{number}@{domain}",
            confirmed_on=date(2024, 5, 1),
            key_id=1,
            state=DeliveryState.QUEUED,
            attempts=0,
            refusals=0,
            first_attempt_at=None,
            dated_at=None,
        )
        jobs.append(Job(claim=claim, letter=letter, bar=bar, writer=unwritten))
    claim.outstanding = len(jobs)
    return jobs


class Hall:
    """A gate in front of a source, and a clock that its naps move."""

    def __init__(self, db: Database, **rules: Any) -> None:
        self.clock = Clock()
        self.stop = asyncio.Event()
        self.left: list[int] = []
        self.queue = Queue(on_low=lambda: None)
        throttle = Throttle(
            RateRules(**rules), db=db, persist=self._persist, clock=self.clock
        )
        self.gate = Gate(
            self,
            throttle=throttle,
            clock=self.clock,
            stop=self.stop,
            sleep=self._sleep,
        )

    async def _persist(self, work: Callable[[], Any]) -> Any:
        return work()

    def take(self) -> Job | None:
        return self.queue.take()

    async def next_job(self) -> Job | None:
        return await self.queue.next()

    def put_back(self, job: Job) -> None:
        self.queue.put_back(job)

    async def finish(self, job: Job) -> None:
        self.left.append(job.letter_id)
        job.claim.outstanding -= 1

    async def _sleep(self, seconds: float) -> None:
        # Whoever has something to do does it first.
        for _ in range(3):
            await asyncio.sleep(0)
        self.clock.move(seconds=max(seconds, 0.001))

    async def carry(self, many: int) -> list[tuple[int, float]]:
        """Take so many letters: which, and after how many seconds."""
        taken = []
        for _ in range(many):
            job = self.gate.take() or await self.gate.next_job()
            assert job is not None
            taken.append((job.letter_id, (self.clock.now - NOW).total_seconds()))
        return taken


async def test_a_waiting_domain_lets_others_pass(sqlite_db: Database) -> None:
    hall = Hall(sqlite_db, domains={"slow.example": 60})
    hall.queue.put(make_jobs(make_claim(), *["slow.example"] * 3, "a.example"))

    taken = await hall.carry(4)

    assert [number for number, _ in taken] == [1, 4, 2, 3]
    assert [int(at) for _, at in taken] == [0, 0, 1, 2]


async def test_the_relays_rate_holds_for_all(sqlite_db: Database) -> None:
    hall = Hall(sqlite_db, relay=30)
    hall.queue.put(make_jobs(make_claim(), "a.example", "b.example", "c.example"))

    taken = await hall.carry(3)

    assert [(number, int(at)) for number, at in taken] == [(1, 0), (2, 2), (3, 4)]
    assert hall.left == []


async def test_lanes_that_wait_together_lose_no_letter(sqlite_db: Database) -> None:
    hall = Hall(sqlite_db, relay=600, domains={"slow.example": 120})
    domains = ["slow.example", "a.example"] * 10
    lanes = [asyncio.ensure_future(hall.carry(5)) for _ in range(4)]
    await asyncio.sleep(0)

    hall.queue.put(make_jobs(make_claim(), *domains))
    taken = await asyncio.gather(*lanes)

    assert sorted(n for lane in taken for n, _ in lane) == list(range(1, 21))


async def test_a_long_wait_gives_the_letter_back(sqlite_db: Database) -> None:
    hall, claim = Hall(sqlite_db, domains={"slow.example": 1}), make_claim()
    hall.queue.put(make_jobs(claim, *["slow.example"] * 3, "a.example"))

    taken = await hall.carry(2)

    assert [number for number, _ in taken] == [1, 4]
    assert hall.left == [2, 3]
    assert claim.not_before == NOW + timedelta(minutes=1)


async def test_chunks_that_are_given_back_come_due_in_turn(
    sqlite_db: Database,
) -> None:
    hall, claims = Hall(sqlite_db, domains={"slow.example": 1}), []
    for number in range(20):
        claims.append(make_claim(number))
        hall.queue.put(make_jobs(claims[-1], "slow.example"))
    hall.queue.put(make_jobs(make_claim(99), "a.example", start=99))

    await hall.carry(2)

    waits = [c.not_before - NOW for c in claims if c.not_before is not None]
    minutes = [wait / timedelta(minutes=1) for wait in waits]
    assert minutes == [*range(1, 11), *[10] * 9]


async def test_who_waits_for_tomorrow_is_due_tomorrow(sqlite_db: Database) -> None:
    hall, claim = Hall(sqlite_db, warm_up=[1], warm_up_from=NOW), make_claim()
    hall.queue.put(make_jobs(claim, "a.example", "b.example"))

    taken = await hall.carry(1)
    hall.queue.close()

    assert await hall.gate.next_job() is None
    assert [number for number, _ in taken] == [1]
    assert (hall.left, claim.not_before) == ([2], NOW + timedelta(days=1))


async def test_too_many_letters_to_one_domain_are_not_kept(
    sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.send.gate._MOST_OF_A_DOMAIN", 2)
    hall, claim = Hall(sqlite_db, domains={"slow.example": 60}), make_claim()
    hall.queue.put(make_jobs(claim, *["slow.example"] * 5))

    taken = await hall.carry(3)

    assert [number for number, _ in taken] == [1, 2, 3]
    assert hall.left == [4, 5]
    assert claim.not_before == NOW + timedelta(seconds=3)


async def test_what_is_not_sent_needs_no_permit(sqlite_db: Database) -> None:
    hall, over = Hall(sqlite_db, relay=1), make_claim(2)
    over.closed = True
    barred = make_jobs(make_claim(), *["a.example"] * 3, bar=SkipReason.ERASED)
    hall.queue.put([*barred, *make_jobs(over, "a.example", start=4)])

    taken = await hall.carry(4)

    assert [at for _, at in taken] == [0] * 4


async def test_a_stop_lets_go_of_everything_at_once(sqlite_db: Database) -> None:
    hall, claim = Hall(sqlite_db, relay=1, domains={"b.example": 20}), make_claim()
    hall.queue.put(make_jobs(claim, *["a.example", "b.example"] * 2))
    await hall.carry(1)
    waiting = asyncio.ensure_future(hall.carry(3))
    await asyncio.sleep(0)

    hall.stop.set()
    claim.closed = True
    taken = await waiting
    hall.queue.close()

    assert sorted(number for number, _ in taken) == [2, 3, 4]
    assert await hall.gate.next_job() is None
    assert hall.clock.now - NOW < timedelta(seconds=5)


async def test_every_lane_learns_of_the_end(sqlite_db: Database) -> None:
    hall = Hall(sqlite_db, relay=600)
    lanes = [asyncio.ensure_future(hall.gate.next_job()) for _ in range(3)]
    await asyncio.sleep(0)

    hall.queue.close()

    assert await asyncio.gather(*lanes) == [None] * 3


async def test_letters_of_one_domain_keep_their_order(sqlite_db: Database) -> None:
    hall = Hall(sqlite_db, domains={"slow.example": 60})
    jobs = make_jobs(make_claim(), *["slow.example"] * 6)
    hall.queue.put([jobs[0], *reversed(jobs[1:])])

    taken = await hall.carry(6)

    assert [number for number, _ in taken][2:] == sorted(
        number for number, _ in taken[2:]
    )


async def test_an_erased_reader_needs_no_domain() -> None:
    (job,) = make_jobs(make_claim(), "a.example")
    assert isinstance(job.letter, Delivery)

    erased = Job(
        claim=job.claim,
        letter=replace(job.letter, address=None),
        bar=SkipReason.ERASED,
        writer=unwritten,
    )

    assert (job.domain, erased.domain) == ("a.example", "")


async def test_what_is_put_back_goes_first_and_keeps_its_permit(
    sqlite_db: Database,
) -> None:
    hall = Hall(sqlite_db, relay=1)
    jobs = make_jobs(make_claim(), "a.example", "b.example")
    hall.queue.put(jobs)
    await hall.carry(1)

    hall.gate.put_back(jobs[0])

    assert await hall.carry(2) == [(1, 0), (2, 60)]


def make_notices(*addresses: str, start: int = 1) -> list[Job]:
    """A notice to each address."""
    jobs = []
    for number, address in enumerate(addresses, start):
        lease = Lease(kind=LetterKind.NOTICE, row_id=number, fence=1)
        letter = Notice(
            **vars(make_notice(address=address)),
            id=number,
            lease=lease,
            attempts=0,
            refusals=0,
            first_attempt_at=None,
            dated_at=None,
        )
        claim = Claim(lease=lease, outstanding=1)
        jobs.append(Job(claim=claim, letter=letter, bar=None, writer=unwritten))
    return jobs


async def test_notices_go_before_letters_that_wait_for_the_same(
    sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.send.gate._MOST_OF_A_DOMAIN", 2)
    hall = Hall(sqlite_db, domains={"slow.example": 60})
    hall.queue.put(make_jobs(make_claim(), *["slow.example"] * 3))
    first = await hall.carry(1)
    stalled = asyncio.ensure_future(hall.carry(1))
    await asyncio.sleep(0)

    # Of another table: their numbers say nothing about who came first.
    hall.queue.put(make_notices("bob@slow.example", start=77))
    then = [*await stalled, *await hall.carry(2)]

    assert [number for number, _ in first] == [1]
    assert [number for number, _ in then] == [77, 2, 3]
    assert hall.left == []


async def test_a_notice_that_is_given_back_comes_due_before_letters(
    sqlite_db: Database,
) -> None:
    hall, claims = Hall(sqlite_db, domains={"slow.example": 1}), []
    for number in range(1, 5):
        claims.append(make_claim(number))
        hall.queue.put(make_jobs(claims[-1], "slow.example", start=number))
    hall.queue.put(make_jobs(make_claim(99), "a.example", start=99))
    await hall.carry(2)
    (notice,) = make_notices("bob@slow.example")

    hall.queue.put([notice, *make_jobs(make_claim(98), "a.example", start=98)])
    await hall.carry(1)

    assert notice.claim.not_before == NOW + timedelta(minutes=1)


async def test_notices_that_are_given_back_come_due_one_after_the_other(
    sqlite_db: Database,
) -> None:
    hall = Hall(sqlite_db, domains={"slow.example": 1})
    notices = make_notices(*(f"r{number}@slow.example" for number in range(5)))
    hall.queue.put([*notices, *make_jobs(make_claim(99), "a.example", start=99)])

    await hall.carry(2)

    minutes = [
        (notice.claim.not_before - NOW) / timedelta(minutes=1)
        for notice in notices
        if notice.claim.not_before is not None
    ]
    assert minutes == [1, 2, 3, 4]


def test_turns_that_are_past_are_forgotten() -> None:
    turns = Turns()

    for number in range(5_000):
        now = NOW + timedelta(seconds=number)
        soon = timedelta(seconds=1)
        turns.take(f"{number}.example", soon, now + soon, now)

    assert len(turns) <= 1_000
