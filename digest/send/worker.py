"""The worker: a feeder, a ledger, and as many lanes as there are connections."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from digest.mail.smtp import Line, tls_context
from digest.send.feeder import Feeder
from digest.send.gate import Gate
from digest.send.job import Totals
from digest.send.lane import Lane, Source
from digest.send.ledger import Ledger
from digest.send.post import Clock, Post
from digest.send.releaser import release_due
from digest.send.storm import StormWatch
from digest.send.throttle import Throttle
from digest.send.watch import RelayWatch
from digest.storage import deliveries, notice_ledger

_log = structlog.get_logger()
_AFTER_FAILURE_SECONDS = 5.0
_SWEEP_SECONDS = 0.5
_LAST_LOOK_SECONDS = 1.0


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
    ledger = Ledger(post.db, worker=post.worker, lease=post.lease, clock=clock)
    feeder = Feeder(post, ledger=ledger, clock=clock)
    tls = tls_context(post.relay)
    source = _limited(feeder, post, ledger=ledger, clock=clock, stop=stop)
    storms = StormWatch(
        post.db, share=post.pause_share, persist=ledger.persist, clock=clock
    )
    lanes = [
        Lane(
            post,
            line=Line(post.relay, tls=tls),
            source=source,
            ledger=ledger,
            watch=watch,
            storms=storms,
            totals=totals,
            clock=clock,
        )
        for _ in range(post.connections)
    ]
    async with asyncio.TaskGroup() as group:
        support = [
            group.create_task(ledger.write_groups(), name="ledger"),
            group.create_task(feeder.beat(), name="heartbeat"),
            group.create_task(_sweep(lanes), name="sweep"),
            group.create_task(release_due(post, clock=clock), name="releaser"),
            group.create_task(post.dispatch.attend(feeder.carry_chunk)),
        ]
        working = [
            group.create_task(lane.run(), name=f"lane-{n}")
            for n, lane in enumerate(lanes)
        ]
        feeding = group.create_task(feeder.run(stop=stop, until_idle=until_idle))
        await _until_fed(feeding, stop)
        await asyncio.wait(working, timeout=post.grace.total_seconds())
        for task in [*working, *support]:
            task.cancel()
    totals.trouble, totals.commits = watch.reason, ledger.commits
    return totals


def _limited(
    feeder: Feeder, post: Post, *, ledger: Ledger, clock: Clock, stop: asyncio.Event
) -> Source:
    """Put a gate in front of the feeder, if anything is limited."""
    if not post.rates.is_any:
        return feeder
    throttle = Throttle(post.rates, db=post.db, persist=ledger.persist, clock=clock)
    return Gate(feeder, throttle=throttle, clock=clock, stop=stop)


async def _until_fed(feeding: asyncio.Task[None], stop: asyncio.Event) -> None:
    """Wait for the feeder; once told to stop, not for a database that is away."""
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({feeding, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
    await asyncio.wait({feeding}, timeout=_LAST_LOOK_SECONDS)
    feeding.cancel()


async def _sweep(lanes: Sequence[Lane]) -> None:
    """Keep results from waiting for a server that is slow to take the next letter."""
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        await asyncio.gather(*(lane.flush() for lane in lanes))


async def _sleep_unless(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
