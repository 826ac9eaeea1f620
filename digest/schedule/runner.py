"""The schedule's loop: woken by APScheduler, led by one process, worked by turns.

APScheduler only wakes us. It skips and double-fires where a zone's clocks change, and
after the host's clock was set back it sleeps until the old time returns; so every
turn asks the calendar anew, and a wait on the monotonic clock bounds each sleep.
"""

import asyncio
import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from digest.bootstrap import Service
from digest.domain.actor import SCHEDULE
from digest.schedule import stages, turn
from digest.schedule.steady import ClockWatch, Uptime
from digest.storage.leader import Leadership
from digest.subscriptions import moving, preferences
from digest.subscriptions.lapsing import lapse

_log = structlog.get_logger()

# Sources have intervals of their own, five minutes at least.
_POLL_SECONDS = 300
_BETWEEN_CARE_SECONDS = 600
_LOCK_FILE = "schedule.lock"


async def run(
    service: Service,
    *,
    stop: asyncio.Event,
    heartbeat: timedelta = timedelta(seconds=30),
    patience: timedelta = timedelta(seconds=3),
    uptime: Uptime | None = None,
) -> None:
    """Follow every schedule until told to stop.

    Any number of processes may run it; one of them leads, the others wait.

    Args:
        service: The installation.
        stop: Set it to end the loop.
        heartbeat: How often to look for what people changed meanwhile.
        patience: How long a stop waits for sources that answer slowly.
        uptime: Tells when the clock was set; None: it is trusted.
    """
    leadership = Leadership(service.db, service.settings.home / _LOCK_FILE)
    runner = Runner(
        service, leadership, heartbeat=heartbeat, patience=patience, uptime=uptime
    )
    runner.start()
    try:
        while not stop.is_set():
            await runner.turn()
            await runner.sleep(stop)
    finally:
        await runner.close()


class Runner:
    """One process's loop.

    Args:
        service: The installation.
        leadership: The right to lead.
        heartbeat: The longest sleep; twice that where even APScheduler oversleeps.
        patience: How long `close` waits for a preparation under way.
        uptime: Tells when the clock was set; None: it is trusted.
    """

    def __init__(
        self,
        service: Service,
        leadership: Leadership,
        *,
        heartbeat: timedelta,
        patience: timedelta,
        uptime: Uptime | None = None,
    ) -> None:
        self._patience = patience.total_seconds()
        self._heartbeat = heartbeat.total_seconds()
        self._service = service
        self._leadership = leadership
        self._clock = ClockWatch(service, uptime)
        self._awake = asyncio.Event()
        self._preparing: threading.Thread | None = None
        self._polled_at = -math.inf
        self._cared_at = -math.inf
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True}
        )

    @property
    def is_idle(self) -> bool:
        """Whether no preparation is under way."""
        return self._preparing is None or not self._preparing.is_alive()

    def start(self) -> None:
        """Begin to be woken."""
        self._scheduler.add_job(
            self._wake, "interval", seconds=self._heartbeat, id="heartbeat"
        )
        self._scheduler.start()

    async def turn(self) -> None:
        """Release what is due, look after readers; begin to prepare, for minutes."""
        if not await asyncio.to_thread(_attempt, self._leadership.hold):
            return
        # What a copy would prepare, the desk would be asked about twice.
        if not await asyncio.to_thread(_attempt, self._may_send):
            return
        # One look at the clock rules the turn: it may be set at any time.
        now = self._service.now()
        if not await asyncio.to_thread(_attempt, self._clock.is_steady, now):
            return
        if self.is_idle:
            # A daemon: a slow source must not hold up a process that is told to stop.
            self._preparing = threading.Thread(
                target=self._prepare, args=(now,), daemon=True
            )
            self._preparing.start()
        await asyncio.to_thread(_attempt, turn.release_due, self._service, now)
        await asyncio.to_thread(_attempt, turn.tell_desk, self._service, now)
        await asyncio.to_thread(_attempt, self._look_after_readers)
        moment = await asyncio.to_thread(_attempt, turn.next_moment, self._service, now)
        if moment is not None:
            self._scheduler.add_job(
                self._wake, "date", run_date=moment, id="moment", replace_existing=True
            )

    async def sleep(self, stop: asyncio.Event) -> None:
        """Wait for a wake, the end, or twice the heartbeat on the monotonic clock."""
        waits = [asyncio.create_task(event.wait()) for event in (stop, self._awake)]
        limit = 2 * self._heartbeat
        await asyncio.wait(waits, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        self._awake.clear()

    async def prepared(self) -> None:
        """Wait until no preparation is under way, as long as patience lasts."""
        if self._preparing is not None:
            await asyncio.to_thread(self._preparing.join, self._patience)

    async def close(self) -> None:
        """Stop being woken, let preparations end if they can, give the lead away."""
        self._scheduler.shutdown(wait=False)
        await self.prepared()
        await asyncio.to_thread(_attempt, self._leadership.release)

    def _may_send(self) -> bool:
        guard = self._service.guard
        return guard is None or guard.allows(busy=False)

    def _prepare(self, now: datetime) -> None:
        _attempt(turn.tick, self._service, now)
        if time.monotonic() - self._polled_at >= _POLL_SECONDS:
            self._polled_at = time.monotonic()
            _attempt(stages.collect_due, self._service, self._service.now())

    def _look_after_readers(self) -> None:
        """End the pauses whose time has come, forget who never answered."""
        if time.monotonic() - self._cared_at < _BETWEEN_CARE_SECONDS:
            return
        self._cared_at = time.monotonic()
        db, now = self._service.db, self._service.now()
        preferences.resume_due(db, actor=SCHEDULE, now=now)
        moving.forget_unanswered(db, now=now)
        days = self._service.settings.sign_up.pending_days
        lapse(db, before=now - timedelta(days=days), actor=SCHEDULE, now=now)

    async def _wake(self) -> None:
        self._awake.set()


def _attempt(work: Callable[..., Any], *given: Any) -> Any:
    """Do a piece of work; the loop's one catch-all."""
    try:
        return work(*given)
    except Exception:  # noqa: BLE001 - the next turn begins from the database again
        _log.exception("schedule.failed", work=work.__name__)
        return None
