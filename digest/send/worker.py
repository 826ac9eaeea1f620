"""The worker: a feeder, a ledger, and as many lanes as there are connections."""

import asyncio
from contextlib import suppress

import structlog

from digest.mail.smtp import Pool
from digest.send.feeder import Feeder
from digest.send.job import Totals
from digest.send.lane import Lane, RelayWatch
from digest.send.ledger import Ledger
from digest.send.post import Clock, Post
from digest.storage import deliveries, notice_ledger

_log = structlog.get_logger()
_AFTER_FAILURE_SECONDS = 5.0


async def work(post: Post, *, clock: Clock, stop: asyncio.Event) -> None:
    """Carry whatever becomes due until told to stop; letters under way finish.

    Args:
        post: What the worker is built of.
        clock: The time.
        stop: Set it to end the worker.
    """
    while not stop.is_set():
        try:
            await _run(post, clock=clock, stop=stop, until_idle=False)
        except Exception:  # noqa: BLE001 - see below
            # The loop's one catch-all: leases lapse, and the next round recovers.
            _log.exception("worker.failed")
            await _sleep_unless(stop, _AFTER_FAILURE_SECONDS)


async def drain(
    post: Post, *, clock: Clock, stop: asyncio.Event | None = None
) -> Totals:
    """Carry everything that is due, then return.

    It waits for the leases of other workers to end, by their work or their death.

    Args:
        post: What the worker is built of.
        clock: The time.
        stop: Set it to end the worker before.

    Returns:
        What was done, and what is left for later.
    """
    totals = await _run(
        post, clock=clock, stop=stop or asyncio.Event(), until_idle=True
    )
    with post.db.read() as tx:
        totals.waiting = deliveries.count_open(tx) + notice_ledger.count_open(tx)
    return totals


async def _run(
    post: Post, *, clock: Clock, stop: asyncio.Event, until_idle: bool
) -> Totals:
    totals, watch = Totals(), RelayWatch(post)
    ledger = Ledger(post.db, worker=post.worker)
    feeder = Feeder(post, ledger=ledger, clock=clock)
    async with Pool(post.relay, size=post.connections) as pool:
        lane = Lane(
            post, pool=pool, ledger=ledger, watch=watch, totals=totals, clock=clock
        )
        async with asyncio.TaskGroup() as group:
            support = [
                group.create_task(ledger.write_groups(), name="ledger"),
                group.create_task(feeder.beat(), name="heartbeat"),
                group.create_task(post.dispatch.attend(feeder.carry_chunk)),
            ]
            lanes = [
                group.create_task(_serve(lane, feeder), name=f"lane-{n}")
                for n in range(post.connections)
            ]
            await feeder.run(stop=stop, until_idle=until_idle)
            await asyncio.wait(lanes, timeout=post.grace.total_seconds())
            for task in [*lanes, *support]:
                task.cancel()
    totals.trouble, totals.commits = watch.reason, ledger.commits
    return totals


async def _serve(lane: Lane, feeder: Feeder) -> None:
    while (job := await feeder.next_job()) is not None:
        await lane.carry(job)
        await feeder.finish(job)


async def _sleep_unless(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
