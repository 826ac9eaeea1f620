"""What a bench starts beside itself: workers that begin together, and a sink."""

import asyncio
import multiprocessing
import queue
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import BrokenBarrierError
from typing import Any, Self

from digest import bootstrap
from digest.cli import logs, loops
from digest.domain.errors import StateError
from digest.mail.sink import Sink
from digest.send.worker import drain
from digest.settings import Settings

# Processes start afresh, as a worker does: nothing is inherited.
_START = multiprocessing.get_context("spawn")
_READY_SECONDS = 60.0
_LOOK_SECONDS = 0.5
_KIB = 1024


@dataclass(frozen=True, kw_only=True)
class Carried:
    """What one worker process did.

    Attributes:
        commits: Transactions its ledger made durable.
        cpu_seconds: User and system time, of its own children too.
        peak_rss_mb: The most memory it had.
        trouble: Why the relay could not be used; None: it could.
    """

    commits: int
    cpu_seconds: float
    peak_rss_mb: float
    trouble: str | None


class Squad:
    """Worker processes that start at one moment; use as `with`.

    Args:
        settings: The installation they work for.
        count: How many.
    """

    def __init__(self, settings: Settings, count: int) -> None:
        self._go = _START.Barrier(count + 1)
        self._results: Any = _START.Queue()
        self._workers = [
            _START.Process(target=carry, args=(settings, self._go, self._results))
            for _ in range(count)
        ]

    def __enter__(self) -> Self:
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        for worker in self._workers:
            worker.terminate()
            worker.join()

    def start(self) -> None:
        """Let them begin, once all are ready.

        Raises:
            StateError: One of them is not.
        """
        try:
            self._go.wait(_READY_SECONDS)
        except BrokenBarrierError:
            with suppress(queue.Empty):
                raise _failure(self._results.get(timeout=_LOOK_SECONDS)) from None
            raise _failure("it was not ready in time") from None

    def wait(self, look: Callable[[], None]) -> list[Carried]:
        """Collect what each has done, once all have ended.

        Args:
            look: Called twice a second meanwhile.

        Raises:
            StateError: One of them failed.
        """
        found: list[Carried] = []
        while len(found) < len(self._workers):
            was_alive = any(worker.is_alive() for worker in self._workers)
            try:
                part = self._results.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                look()
                if not was_alive:
                    raise _failure("it was killed") from None
                continue
            if isinstance(part, str):
                raise _failure(part)
            found.append(part)
        return found


def _failure(reason: str) -> StateError:
    return StateError(f"A worker of the bench failed: {reason}.")


def carry(settings: Settings, go: Any, results: Any) -> None:
    """Carry everything that is due, as `digest worker --once` does, and say how.

    Args:
        settings: The installation.
        go: A barrier to wait at, once ready.
        results: A queue, given the `Carried`; or the error's text.
    """
    logs.set_up()
    try:
        service = bootstrap.open_service(settings)
        post = bootstrap.make_post(service)
        go.wait(_READY_SECONDS)
        before = _cpu_seconds()
        totals = loops.run(drain(post, clock=service.clock))
        carried = Carried(
            commits=totals.commits,
            cpu_seconds=_cpu_seconds() - before,
            peak_rss_mb=_peak_rss_mb(),
            trouble=totals.trouble,
        )
        service.db.close()
    except Exception as error:
        go.abort()
        results.put(f"{type(error).__name__}: {error}")
        raise
    results.put(carried)


def _cpu_seconds() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(kind) for kind in kinds]
    return sum(part.ru_utime + part.ru_stime for part in used)


def _peak_rss_mb() -> float:
    """Return the peak of this process and its largest child.

    `ru_maxrss` of a process counts what it was forked from, so Linux is asked.
    """
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return (own + children) / _KIB


@contextmanager
def running_sink() -> Iterator[int]:
    """Run a sink that forgets every letter, in its own process; yields its port."""
    ports, stop = _START.Queue(), _START.Event()
    sink = _START.Process(target=serve_sink, args=(ports, stop), daemon=True)
    sink.start()
    try:
        yield ports.get(timeout=_READY_SECONDS)
    finally:
        stop.set()
        sink.join()


def serve_sink(ports: Any, stop: Any) -> None:
    """Take every letter and forget it, until told to stop.

    Args:
        ports: A queue, given the port.
        stop: An event.
    """

    async def serve() -> None:
        async with Sink(lambda _: None) as sink:
            ports.put(sink.port)
            await asyncio.to_thread(stop.wait)

    loops.run(serve())
