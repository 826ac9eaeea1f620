"""Workers of a trial: started, watched through their logs, stopped and killed."""

import json
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

from bench import processes
from bench.installation import Installation
from bench.processes import TrialError, module, signal_group, wait_until

_READY = "Carrying letters"
_READY_SECONDS = 60.0
_FINISH_SECONDS = 900.0
_STOP_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Worker:
    """One `digest worker`, leader of a process group of its own.

    Attributes:
        process: What runs it.
        log: What it says.
    """

    process: Popen[bytes]
    log: Path

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    @property
    def is_ready(self) -> bool:
        """Whether it has loaded, opened its database and begun; not with `--once`."""
        return _READY in self.log.read_text(encoding="utf-8", errors="replace")

    def heard(self, event: str) -> list[dict[str, Any]]:
        """Return what it logged under a name so far."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        lines = (line for line in text.splitlines() if line.startswith("{"))
        found = [json.loads(line) for line in lines if line.endswith("}")]
        return [entry for entry in found if entry.get("event") == event]


def start(found: Installation, *options: str) -> Worker:
    """Start one; its log is beside the home, whose disk may be full."""
    number = len(list(found.home.parent.glob(f"{found.home.name}-*.log"))) + 1
    log = found.home.with_name(f"{found.home.name}-{number}.log")
    command = module("digest", "worker", *options)
    process = processes.start(command, env=found.environment, log=log)
    return Worker(process=process, log=log)


def wait_for_any(crew: Sequence[Worker]) -> float:
    """Wait until one is ready; returns when, by the monotonic clock.

    Raises:
        TrialError: None was in time, or all ended.
    """
    wait_until(
        lambda: any(worker.is_ready for worker in crew) or not is_any_alive(crew),
        within=_READY_SECONDS,
        what="a worker's start",
    )
    require_alive(crew)
    return time.monotonic()


def is_any_alive(crew: Sequence[Worker]) -> bool:
    """Tell whether one of them has not ended."""
    return any(worker.is_alive for worker in crew)


def require_alive(crew: Sequence[Worker]) -> None:
    """Raise if one of them has ended by itself.

    Raises:
        TrialError: One has.
    """
    for worker in crew:
        if not worker.is_alive:
            raise TrialError(f"a worker ended by itself: {_last_words(worker)}")


def kill_all(crew: Sequence[Worker]) -> None:
    """Kill all with their groups at one moment; those that ended stay as they are."""
    for worker in crew:
        signal_group(worker.process, signal.SIGKILL)
    for worker in crew:
        worker.process.wait()


def wait_for_end(crew: Sequence[Worker], *, within: float = _FINISH_SECONDS) -> None:
    """Wait until all have ended by themselves; kills them where they do not.

    Raises:
        TrialError: They did not, in so many seconds, or one failed.
    """
    try:
        wait_until(lambda: not is_any_alive(crew), within=within, what="workers' end")
    finally:
        kill_all(crew)
    for worker in crew:
        if worker.process.returncode:
            raise TrialError(f"a worker failed: {_last_words(worker)}")


def end_politely(worker: Worker) -> None:
    """Ask one to stop, and wait.

    Raises:
        TrialError: It did not, or failed.
    """
    signal_group(worker.process, signal.SIGTERM)
    wait_for_end([worker], within=_STOP_SECONDS)


def _last_words(worker: Worker) -> str:
    lines = worker.log.read_text(encoding="utf-8", errors="replace").splitlines()
    return f"status {worker.process.returncode}, {' '.join(lines[-3:]) or 'no words'}"
