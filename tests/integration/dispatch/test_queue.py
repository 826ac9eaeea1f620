"""Wake-ups over procrastinate on a real PostgreSQL."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from digest.dispatch.port import InProcess
from digest.dispatch.queue import Queue, reap
from digest.domain.errors import SettingsError
from digest.storage.engine import Database, driver_connection

LIMIT_SECONDS = 20.0


def now() -> datetime:
    return datetime.now(tz=UTC)  # noqa: TID251 - the database's own clock is used


@pytest.fixture
def queue(postgres_db: Database) -> Queue:
    return Queue(postgres_db.libpq_url, clock=now)


class Carrier:
    """Notes the chunks it is woken for; keeps the first until it is let go."""

    def __init__(self, *, holds: bool = False) -> None:
        self.woken: list[tuple[int, int]] = []
        self._news = asyncio.Event()
        self._free = asyncio.Event()
        if not holds:
            self._free.set()

    async def __call__(self, edition_id: int, number: int) -> None:
        self.woken.append((edition_id, number))
        self._news.set()
        await self._free.wait()

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(LIMIT_SECONDS):
            while len(self.woken) < count:
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def attending(queue: Queue | InProcess, carrier: Carrier) -> AsyncIterator[None]:
    task = asyncio.create_task(queue.attend(carrier))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def enqueue(db: Database, queue: Queue, edition_id: int, count: int) -> None:
    with db.write() as tx:
        queue.enqueue(driver_connection(tx), edition_id, range(count))


def jobs(db: Database) -> list[tuple[str, str]]:
    with db.read() as tx:
        query = "SELECT task_name, status::text FROM procrastinate_jobs ORDER BY id"
        return [(row[0], row[1]) for row in tx.execute(text(query))]


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_SECONDS):
        while not is_so():  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.02)


@pytest.mark.postgres
def test_a_release_that_is_rolled_back_leaves_no_job(
    postgres_db: Database, queue: Queue
) -> None:
    with suppress(ZeroDivisionError), postgres_db.write() as tx:
        queue.enqueue(driver_connection(tx), 1, range(3))
        raise ZeroDivisionError

    assert jobs(postgres_db) == []


@pytest.mark.postgres
def test_one_job_is_one_chunk(postgres_db: Database, queue: Queue) -> None:
    enqueue(postgres_db, queue, 1, 3)

    assert jobs(postgres_db) == [("carry_chunk", "todo")] * 3


@pytest.mark.postgres
async def test_wakes_a_worker_that_listens_and_leaves_no_job(
    postgres_db: Database, queue: Queue
) -> None:
    carrier = Carrier()

    async with attending(queue, carrier):
        await asyncio.to_thread(enqueue, postgres_db, queue, 7, 2)
        await carrier.wait_for(2)
        await until(lambda: not jobs(postgres_db))

    assert carrier.woken == [(7, 0), (7, 1)]


@pytest.mark.postgres
async def test_a_worker_that_is_stopped_puts_its_job_back(
    postgres_db: Database, queue: Queue
) -> None:
    carrier = Carrier(holds=True)
    enqueue(postgres_db, queue, 7, 1)

    async with attending(queue, carrier):
        await carrier.wait_for(1)

    assert jobs(postgres_db) == [("carry_chunk", "todo")]


@pytest.mark.postgres
async def test_the_job_of_a_dead_worker_is_put_back(
    postgres_db: Database, queue: Queue
) -> None:
    enqueue(postgres_db, queue, 7, 1)
    with postgres_db.write() as tx:
        tx.execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))

    app = queue.make_app("PsycopgConnector", conninfo=postgres_db.libpq_url)
    async with app.open_async():
        count = await reap(app, now=now(), silence=10)

    assert (count, jobs(postgres_db)) == (1, [("carry_chunk", "todo")])


@pytest.mark.postgres
async def test_losing_the_queue_is_only_told(postgres_db: Database) -> None:
    url = postgres_db.libpq_url
    url += f"{'&' if '?' in url else '?'}options=-csearch_path%3Dnowhere"

    with capture_logs() as logs:
        async with attending(Queue(url, clock=now), Carrier()):
            await until(lambda: any(x["event"] == "dispatch.failed" for x in logs))

    assert {log["log_level"] for log in logs} == {"warning"}


@pytest.mark.postgres
async def test_a_wake_up_that_fails_is_told_and_tried_again(
    postgres_db: Database, queue: Queue
) -> None:
    enqueue(postgres_db, queue, 7, 1)

    async def fail(_edition_id: int, _number: int) -> None:
        raise ZeroDivisionError

    with capture_logs() as logs:
        task = asyncio.create_task(queue.attend(fail))
        await until(lambda: bool(logs) and jobs(postgres_db)[0][1] == "todo")
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    assert logs[0]["event"] == "dispatch.wake_up_failed"


def test_without_its_package_the_mend_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "procrastinate", None)

    with pytest.raises(SettingsError, match="procrastinate") as caught:
        Queue("postgresql://db/digest", clock=now)

    assert "requirements/postgres.txt" in caught.value.mend


async def test_in_process_nothing_is_left_and_nobody_woken() -> None:
    carrier = Carrier()

    InProcess().enqueue(None, 1, [0])
    async with attending(InProcess(), carrier):
        await asyncio.sleep(0)

    assert carrier.woken == []
