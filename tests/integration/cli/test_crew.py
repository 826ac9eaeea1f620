"""A crew of worker processes: those that die are replaced, all end together."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from digest.cli.crew import Crew, Plan, watch_parent
from tests.conftest import Ran

LIMIT_SECONDS = 60.0


@pytest.fixture(autouse=True)
def installation(
    installed: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_SMTP__SECURITY", "none")


@pytest.fixture
async def stop() -> AsyncIterator[asyncio.Event]:
    event = asyncio.Event()
    yield event
    event.set()


def plan(count: int, *options: str, grace: float = 5) -> Plan:
    return Plan(count=count, options=options, grace=timedelta(seconds=grace))


def pids(logs: Sequence[Mapping[str, object]]) -> list[int]:
    return [
        int(str(log["pid"])) for log in logs if log["event"] == "worker.process_started"
    ]


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_SECONDS):
        while not is_so():  # noqa: ASYNC110 - other processes tell nobody
            await asyncio.sleep(0.02)


async def test_one_that_dies_is_replaced(stop: asyncio.Event) -> None:
    with capture_logs() as logs:
        running = asyncio.create_task(Crew(plan(1)).run(stop))
        await until(lambda: len(pids(logs)) == 1)

        os.kill(pids(logs)[0], signal.SIGKILL)

        await until(lambda: len(pids(logs)) == 2)
        stop.set()
        await running
    ended = [log for log in logs if log["event"] == "worker.process_ended"]
    assert [log["status"] for log in ended] == [-signal.SIGKILL]


async def test_one_that_fails_says_why_in_the_log(stop: asyncio.Event) -> None:
    with capture_logs() as logs:
        running = asyncio.create_task(
            Crew(plan(1, "--config", "missing.toml")).run(stop)
        )

        await until(lambda: any("reason" in log for log in logs))

        stop.set()
        await running
    assert "missing.toml" in str(logs)


async def test_no_process_is_left_when_the_crew_is_cancelled(
    stop: asyncio.Event,
) -> None:
    with capture_logs() as logs:
        running = asyncio.create_task(Crew(plan(2)).run(stop))
        await until(lambda: len(pids(logs)) == 2)

        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    for pid in pids(logs):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_a_stop_while_the_database_is_away_is_no_error(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "digest", "worker", "--processes", "2"),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    async with asyncio.timeout(LIMIT_SECONDS):
        await process.stderr.readuntil(b"worker.process_started")
        (tmp_path / "home" / "digest.db").write_bytes(b"away" * 1024)
        process.terminate()
        _, said = await process.communicate()

    assert process.returncode == 0, said.decode()


async def test_a_child_stops_when_its_parent_is_gone(stop: asyncio.Event) -> None:
    theirs, ours = os.pipe()
    watch_parent(theirs, stop)

    os.close(ours)

    await asyncio.wait_for(stop.wait(), LIMIT_SECONDS)
    os.close(theirs)
