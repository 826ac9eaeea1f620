"""Wake-ups through PostgreSQL, kept by procrastinate.

A job is one chunk, never one reader. It is deferred over the caller's connection, so it
appears with the release or not at all; LISTEN/NOTIFY brings it to a worker at once; and
it is deleted when it is through. A job whose worker died is put back by the others.
"""

import asyncio
import importlib
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import structlog

from digest.dispatch.port import CarryChunk
from digest.domain.errors import SettingsError

_log = structlog.get_logger()
_TASK, _QUEUE = "carry_chunk", "chunks"
_HEARTBEAT_SECONDS = 2.0
_STALLED_SECONDS = 10.0
_BETWEEN_REAPS_SECONDS = 5.0
_BETWEEN_LOOKS_SECONDS = 5.0
_AFTER_FAILURE_SECONDS = 5.0
_MOST_ATTEMPTS = 20
# One for LISTEN, one for jobs and heartbeats; a third where they meet.
_CONNECTIONS = {"min_size": 1, "max_size": 3}


class Queue:
    """Wake-ups in the database that the ledger is in.

    Args:
        url: The database, as libpq takes it.
        clock: The time.
    """

    def __init__(self, url: str, *, clock: Callable[[], datetime]) -> None:
        self._url = url
        self._clock = clock
        # Never opened: it only writes over connections that callers hand over.
        self._app = self.make_app("SyncPsycopgConnector")

    def enqueue(self, connection: Any, edition_id: int, chunks: Sequence[int]) -> None:
        """Defer a job for each chunk, in the caller's transaction."""
        task = self._app.configure_task(_TASK, queue=_QUEUE, connection=connection)
        task.batch_defer(
            *({"edition_id": edition_id, "number": number} for number in chunks)
        )

    async def attend(self, carry: CarryChunk) -> None:
        """Hand jobs to this worker, one at a time, until cancelled.

        While the queue cannot be used the worker still finds what is due by itself.
        """
        while True:
            try:
                await self._attend(carry)
            except Exception as error:  # noqa: BLE001 - the loop's one catch-all
                _log.warning("dispatch.failed", reason=str(error).strip())
            await asyncio.sleep(_AFTER_FAILURE_SECONDS)

    async def _attend(self, carry: CarryChunk) -> None:
        app = self.make_app("PsycopgConnector", conninfo=self._url, **_CONNECTIONS)
        retry = _procrastinate().RetryStrategy(max_attempts=_MOST_ATTEMPTS, wait=1)

        @app.task(name=_TASK, queue=_QUEUE, retry=retry)  # type: ignore[untyped-decorator]
        async def carry_chunk(*, edition_id: int, number: int) -> None:
            try:
                await carry(edition_id, number)
            except Exception:
                _log.exception("dispatch.wake_up_failed", id=edition_id, chunk=number)
                raise

        async with app.open_async():
            reaping = asyncio.create_task(self._reap(app), name="reaper")
            try:
                await app.run_worker_async(
                    queues=[_QUEUE],
                    concurrency=1,
                    install_signal_handlers=False,
                    delete_jobs="always",
                    fetch_job_polling_interval=_BETWEEN_LOOKS_SECONDS,
                    update_heartbeat_interval=_HEARTBEAT_SECONDS,
                    stalled_worker_timeout=_STALLED_SECONDS,
                    shutdown_graceful_timeout=0,
                )
            finally:
                reaping.cancel()
                await asyncio.wait({reaping})

    async def _reap(self, app: Any) -> None:
        """Put back the jobs of dead workers: they stay `doing` until someone asks."""
        while True:
            try:
                await reap(app, now=self._clock(), silence=_STALLED_SECONDS)
            except _procrastinate().exceptions.ConnectorException as error:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    # The driver turned our cancellation into a failed query.
                    raise asyncio.CancelledError from error
                _log.warning("dispatch.reaper_failed", reason=str(error).strip())
            await asyncio.sleep(_BETWEEN_REAPS_SECONDS)

    @staticmethod
    def make_app(connector: str, **options: Any) -> Any:
        """Build procrastinate's App over one of its connectors."""
        kind = getattr(_procrastinate(), connector)
        return _procrastinate().App(connector=kind(**options))


async def reap(app: Any, *, now: datetime, silence: float) -> int:
    """Put back every job whose worker has said nothing for so many seconds.

    Args:
        app: Procrastinate's, open.
        now: The present.
        silence: How long a worker may say nothing.

    Returns:
        How many jobs.
    """
    manager, count = app.job_manager, 0
    stalled = await manager.get_stalled_jobs(
        queue=_QUEUE, seconds_since_heartbeat=silence
    )
    for job in stalled:
        # Another worker may have been quicker.
        with suppress(_procrastinate().exceptions.ConnectorException):
            await manager.retry_job(job, retry_at=now)
            count += 1
    if count:
        _log.info("dispatch.reaped", count=count)
    # Those that a worker ended but did not live to delete.
    await manager.delete_old_jobs(
        nb_hours=1,
        queue=_QUEUE,
        include_failed=True,
        include_cancelled=True,
        include_aborted=True,
    )
    return count


def _procrastinate() -> Any:
    # Loaded here: an installation on SQLite does not have it.
    try:
        module = importlib.import_module("procrastinate")
    except ModuleNotFoundError as error:
        raise SettingsError(
            "PostgreSQL needs the procrastinate package.",
            "In the checkout: pip install --require-hashes "
            "-r requirements/postgres.txt",
        ) from error
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
    return module
