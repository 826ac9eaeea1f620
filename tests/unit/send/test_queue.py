"""The queue between the feeder and the lanes."""

import asyncio

from digest.domain.deliveries import Delivery, Lease, LetterKind, Notice
from digest.mail.smtp import Envelope
from digest.send.job import Claim, Job
from digest.send.queue import Queue
from tests.posting import make_notice
from tests.unit.send.test_letter import DELIVERY

CHUNK = Claim(lease=Lease(kind=LetterKind.DELIVERY, row_id=1, fence=1))
ALONE = Claim(lease=Lease(kind=LetterKind.NOTICE, row_id=1, fence=1))


def _never(_letter: object, *, dated_at: object) -> Envelope:
    raise AssertionError(dated_at)


def make_job(claim: Claim = CHUNK) -> Job:
    letter: Delivery | Notice = DELIVERY
    if claim is ALONE:
        letter = Notice(
            **vars(make_notice()),
            id=1,
            lease=claim.lease,
            attempts=0,
            refusals=0,
            first_attempt_at=None,
            dated_at=None,
        )
    return Job(claim=claim, letter=letter, bar=None, writer=_never)


def make_queue() -> Queue:
    return Queue(on_low=lambda: None)


def test_gives_notices_first() -> None:
    queue, letter, notice = make_queue(), make_job(), make_job(ALONE)
    queue.put([letter, notice])

    taken = [queue.take(), queue.take(), queue.take()]

    assert taken == [notice, letter, None]


async def test_hands_a_job_to_the_lane_that_waits() -> None:
    queue, job = make_queue(), make_job()
    lane = asyncio.create_task(queue.next())
    await asyncio.sleep(0)

    queue.put([job])

    assert len(queue) == 0
    assert await lane is job


async def test_loses_no_job_to_a_lane_that_was_stopped() -> None:
    queue, job = make_queue(), make_job()
    lane = asyncio.create_task(queue.next())
    await asyncio.sleep(0)
    lane.cancel()
    await asyncio.gather(lane, return_exceptions=True)

    queue.put([job])

    assert queue.take() is job


async def test_gives_out_what_waits_after_it_was_closed() -> None:
    queue, job = make_queue(), make_job()
    queue.put([job])
    queue.close()

    assert await queue.next() is job
    assert await queue.next() is None


async def test_tells_waiting_lanes_that_it_was_closed() -> None:
    queue = make_queue()
    lane = asyncio.create_task(queue.next())
    await asyncio.sleep(0)

    queue.close()

    assert await lane is None


def test_asks_for_more_once_when_it_runs_low() -> None:
    asked: list[bool] = []
    queue = Queue(on_low=lambda: asked.append(True))
    queue.low = 2
    queue.put([make_job(), make_job(), make_job()])

    while queue.take() is not None:
        pass

    assert asked == [True]
    assert queue.is_low


def test_what_is_put_back_goes_before_its_kind() -> None:
    queue, jobs, notices = make_queue(), [make_job(), make_job()], [make_job(ALONE)]
    queue.put([*jobs, *notices])

    for job in (jobs[0], jobs[1], notices[0]):
        queue.put_back(job)

    assert queue.take() is notices[0]
    assert queue.take() is notices[0]
    assert queue.take() is jobs[1]


async def test_what_is_put_back_goes_to_a_lane_that_waits() -> None:
    queue, job = make_queue(), make_job()
    waiting = asyncio.ensure_future(queue.next())
    await asyncio.sleep(0)

    queue.put_back(job)

    assert await waiting is job
