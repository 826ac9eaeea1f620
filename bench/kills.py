"""Kill trials: all processes of the post killed at once, at random, until done."""

import random
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from bench import postgres, recorder
from bench.installation import Installation, clone, discard
from bench.oracle import Bounds, Verdict, judge
from bench.processes import free_port, kill, signal_group, wait_until

CONNECTIONS = 8
_FINISH_SECONDS = 900.0
_PAUSE_SECONDS = 0.005
_MOST_KILLS = 6

Workers = list[Popen[bytes]]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where trials take place.

    Attributes:
        root: A folder for homes and records.
        ready: An installation whose edition is released; it is copied.
        letters: How many letters that has.
        server: URL of the PostgreSQL server; None: SQLite.
    """

    root: Path
    ready: Installation
    letters: int
    server: str | None = None


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a trial works with."""

    name: str
    found: Installation
    record: Path
    port: int


@contextmanager
def trial(place: Place, name: str, **settings: str) -> Iterator[Trial]:
    """Copy the installation; the copy is deleted when the block ends."""
    port = free_port()
    folder = place.root / re.sub(r"[^a-z0-9]+", "-", name.lower())
    usual = {
        "DIGEST_SMTP__HOST": "127.0.0.1",
        "DIGEST_SMTP__PORT": str(port),
        "DIGEST_SMTP__SECURITY": "none",
        "DIGEST_SMTP__CONNECTIONS": str(CONNECTIONS),
    }
    found = clone(place.ready, folder, usual | settings)
    record = folder.with_suffix(".tsv")
    try:
        yield Trial(name=name, found=found, record=record, port=port)
    finally:
        discard(found)
        record.unlink(missing_ok=True)
        if place.server and found.database:
            postgres.drop_database(place.server, found.database)


def run_kill(
    place: Place, number: int, *, seed: int, workers: int, uncertain: str
) -> Verdict:
    """Kill every worker after a random number of letters, again and again.

    Args:
        place: Where.
        number: The trial's.
        seed: Decides when to kill.
        workers: Processes at one time.
        uncertain: `hold` or `resend`.
    """
    kind = "postgresql" if place.server else "sqlite"
    name = f"kill {kind} {uncertain} {number} seed {seed}"
    chance = random.Random(seed)
    with trial(place, name, DIGEST_SEND__UNCERTAIN=uncertain) as held:
        with recorder.recording(held.record, held.port):
            kills, slowest = _kill_until_done(held, place, chance, workers)
        most = kills * workers * CONNECTIONS
        resends = uncertain == "resend"
        bounds = Bounds(copies=most if resends else 0, uncertain=0 if resends else most)
        verdict = judge(name, held.found, [held.record], bounds)
        verdict.notes = f"{kills} kills, sending again after {slowest:.1f} s at most"
        return verdict


def _kill_until_done(
    held: Trial, place: Place, chance: random.Random, workers: int
) -> tuple[int, float]:
    """Return how often they were killed, and how long they took to send again."""
    slowest = 0.0
    for kills in range(_MOST_KILLS + 1):
        began = recorder.count(held.record)
        crew = [held.found.start_worker("--once") for _ in range(workers)]
        point = began + 1 + chance.randrange(place.letters // 3)
        if kills:
            slowest = max(slowest, _wait_for_letters(held, crew, began + 1))
        is_last = kills == _MOST_KILLS or point >= place.letters
        if not is_last:
            _wait_for_letters(held, crew, point)
        if is_last or not any(is_alive(worker) for worker in crew):
            wait_for_end(crew)
            return kills, slowest
        stop_all(crew)
    raise AssertionError("the last round waits for the end")


def _wait_for_letters(held: Trial, crew: Workers, count: int) -> float:
    """Wait until so many letters were taken, or all workers ended; returns seconds."""
    began = time.monotonic()
    while recorder.count(held.record) < count and any(map(is_alive, crew)):
        time.sleep(_PAUSE_SECONDS)
    return time.monotonic() - began


def is_alive(worker: Popen[bytes]) -> bool:
    """Tell whether a worker has not ended."""
    return worker.poll() is None


def stop_all(crew: Workers) -> None:
    """Kill all at one moment."""
    for worker in crew:
        signal_group(worker, signal.SIGKILL)
    for worker in crew:
        kill(worker)


def wait_for_end(crew: Workers, *, within: float = _FINISH_SECONDS) -> None:
    """Wait until all have ended by themselves; kills them where they do not.

    Raises:
        TrialError: They did not, in so many seconds.
    """
    try:
        wait_until(
            lambda: not any(map(is_alive, crew)), within=within, what="workers' end"
        )
    finally:
        stop_all(crew)
