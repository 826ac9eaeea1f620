"""Several worker processes under one parent, none of which outlives it."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from digest.domain.errors import DigestError

_log = structlog.get_logger()
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
# One that lived so long did not fail for the reason the last one did.
_HEALTHY_SECONDS = 60.0
# Beyond the grace it was given, a worker is closing its files.
_CLOSING = timedelta(seconds=5)
# A parent that is gone cannot wait: what is under way has so long.
_ORPHAN_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a crew is made of.

    Attributes:
        count: How many processes.
        options: What every one of them is started with, before `worker`.
        once: They end by themselves once nothing is due.
        grace: How long letters under way may take when it is stopped.
    """

    count: int
    options: Sequence[str] = ()
    once: bool = False
    grace: timedelta


class Crew:
    """Starts worker processes, replaces those that die, and stops them.

    Each child watches a pipe whose other end only this process holds: however this
    process ends, also by kill -9, the pipe ends with it, and so do they.

    Args:
        plan: What it is made of.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._ours, self._theirs = 0, 0

    async def run(self, stop: asyncio.Event) -> list[dict[str, Any]]:
        """Keep every process running until told to stop, or until all have ended.

        Args:
            stop: Set it to end them; letters under way finish.

        Returns:
            With `once`: what each has done, as `digest worker --once --json` says it.

        Raises:
            DigestError: With `once`: one of them failed, and will again.
        """
        self._theirs, self._ours = os.pipe()
        numbers = range(self._plan.count)
        try:
            said = await asyncio.gather(
                *(self._keep(number, stop) for number in numbers),
                return_exceptions=True,
            )
        finally:
            os.close(self._ours)
            os.close(self._theirs)
        found = []
        for part in said:
            if isinstance(part, BaseException):
                raise part
            if part and self._plan.once:
                found.append(json.loads(part))
        return found

    async def _keep(self, number: int, stop: asyncio.Event) -> bytes:
        """Keep one process running; returns what the last one said."""
        loop, pause = asyncio.get_running_loop(), _SHORTEST_PAUSE
        while True:
            began = loop.time()
            process, said = await self._run_one(stop)
            if stop.is_set() or (self._plan.once and not process.returncode):
                return said
            if self._plan.once and process.returncode == 1:
                stop.set()
                raise _failure(said)
            if loop.time() - began > _HEALTHY_SECONDS:
                pause = _SHORTEST_PAUSE
            _log.error(
                "worker.process_ended",
                number=number,
                pid=process.pid,
                status=process.returncode,
                reason=_failure(said).message,
                restart_in=pause,
            )
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
            if stop.is_set():
                return b""
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _run_one(
        self, stop: asyncio.Event
    ) -> tuple[asyncio.subprocess.Process, bytes]:
        process = await asyncio.create_subprocess_exec(
            *self._command(),
            pass_fds=[self._theirs],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        _log.info("worker.process_started", pid=process.pid)
        talking = asyncio.create_task(process.communicate())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({talking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not talking.done():
                process.terminate()
                limit = self._plan.grace + _CLOSING
                await asyncio.wait({talking}, timeout=limit.total_seconds())
        finally:
            stopping.cancel()
            if not talking.done():
                with suppress(ProcessLookupError):
                    process.kill()
                await asyncio.wait({talking})
        said, _ = await talking
        return process, said

    def _command(self) -> list[str]:
        once = ["--once"] if self._plan.once else []
        grace = str(self._plan.grace.total_seconds())
        return [
            *(sys.executable, "-m", "digest", "--json", *self._plan.options),
            *("worker", "--lifeline", str(self._theirs), "--grace", grace, *once),
        ]


def _failure(said: bytes) -> DigestError:
    document = json.loads(said or b"{}")
    return DigestError(
        document.get("error", "A worker process ended without a word."),
        document.get("mend", "Look above, or at what killed it: journalctl -k"),
    )


def watch_parent(lifeline: int, stop: asyncio.Event) -> None:
    """End this process soon after the one that started it.

    Args:
        lifeline: The pipe that ends with the parent.
        stop: Set when it does; a second later the process is ended the hard way.
    """
    loop = asyncio.get_running_loop()

    def end() -> None:
        loop.remove_reader(lifeline)
        _log.error("worker.parent_gone")
        stop.set()
        loop.call_later(_ORPHAN_SECONDS, os._exit, 1)

    loop.add_reader(lifeline, end)
