"""Trials of a worker and what it stands on: stopped, cut off, out of disk."""

import fcntl
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from bench import peek, postgres, recorder, workers
from bench.oracle import Bounds, Verdict, judge
from bench.peek import Held
from bench.processes import TrialError, signal_group, wait_until
from bench.trials import (
    CONNECTIONS,
    FINISH_SECONDS,
    Place,
    Trial,
    bounds_of_one,
    far_recorder,
    trial,
)
from bench.workers import Worker

_CUTS = 5
_FELT_SECONDS = 30.0
_FULL_SECONDS = 6.0
_MOST_STOPS = 200
_BETWEEN_STOPS_SECONDS = 0.002
_STANDING_SECONDS = 0.05
# A lease lasts 4 s and is renewed each second.
_AWAKE_SECONDS = 2.0
_SPARE = 24 * 1024 * 1024
_BLOCK = 4096
_WAITING = "ledger.waiting"


def run_stopped(place: Place, name: str, *, seed: int, uncertain: str) -> Verdict:
    """Stop a worker past its lease; when another carries its letters, wake it.

    The other one is stopped, too, for less than its lease, so that whatever changes
    in its chunks was written by the worker that woke.

    Raises:
        TrialError: It could not be stopped while it held letters, or nobody went on.
    """
    with trial(place, name, DIGEST_SEND__UNCERTAIN=uncertain) as held:
        with far_recorder(held):
            crew = [workers.start(held.found)]
            try:
                held.wait_for(random.Random(seed).randrange(1, place.letters // 2))
                asleep = _stop(held, crew[0])
                early = recorder.count(held.record)
                crew.append(workers.start(held.found, "--once"))
                _wait_for_takeover(held, crew[1], asleep)
                meanwhile = recorder.count(held.record) - early
                wrote = _wake(held, crew, asleep)
                workers.wait_for_end(crew[1:])
                workers.end_politely(crew[0])
            finally:
                workers.kill_all(crew)
        verdict = judge(name, held.found, [held.record], bounds_of_one(uncertain))
        verdict.require(not wrote, f"the woken worker changed {wrote} rows")
        verdict.notes = f"{meanwhile} letters by the other meanwhile"
        return verdict


def _wait_for_takeover(held: Trial, other: Worker, asleep: Sequence[Held]) -> None:
    """Wait until another worker has sent some of what the one asleep holds.

    Raises:
        TrialError: It did not, or was through before that was seen.
    """
    before = {chunk.chunk: chunk for chunk in asleep}

    def is_carried() -> bool:
        workers.require_alive([other])
        return any(
            now.fence > before[now.chunk].fence and now.sent > before[now.chunk].sent
            for now in peek.held(held.found)
            if now.chunk in before
        )

    wait_until(is_carried, within=_FELT_SECONDS, what="takeover")


def _wake(held: Trial, crew: Sequence[Worker], asleep: Sequence[Held]) -> int:
    """Wake the first, while the second stands still; returns how many rows changed.

    Raises:
        TrialError: The second was through, or stood still beyond its lease.
    """
    sleeper, other = crew
    ours = {chunk.chunk for chunk in asleep}
    chunks = {c.chunk for c in _stop(held, other) if c.chunk in ours}
    if not chunks:
        raise TrialError("the other worker was through with what it took over")
    before, fences = peek.ledger(held.found, chunks), peek.fences(held.found)
    signal_group(sleeper.process, signal.SIGCONT)
    time.sleep(_AWAKE_SECONDS)
    after, later = peek.ledger(held.found, chunks), peek.fences(held.found)
    signal_group(other.process, signal.SIGCONT)
    if any(fences[chunk] != later[chunk] for chunk in chunks):
        raise TrialError("the other worker stood still beyond its lease")
    return len(set(after) ^ set(before))


def _stop(held: Trial, worker: Worker) -> list[Held]:
    """Stop a worker where it holds letters but not the database.

    Inside a transaction it would keep everybody out, and nobody could take over.

    Returns:
        The chunks it holds.

    Raises:
        TrialError: It was always inside a transaction, or held nothing.
    """
    for _ in range(_MOST_STOPS):
        signal_group(worker.process, signal.SIGSTOP)
        if not _holds_database(held):
            break
        signal_group(worker.process, signal.SIGCONT)
        time.sleep(_BETWEEN_STOPS_SECONDS)
    else:
        raise TrialError(f"in a transaction each of {_MOST_STOPS} times")
    process = worker.process.pid
    found = [chunk for chunk in peek.held(held.found) if chunk.process == process]
    if not found:
        raise TrialError("the worker that was stopped held nothing")
    return found


def _holds_database(held: Trial) -> bool:
    if held.found.database is not None:
        # What had been sent to the server runs to its end.
        time.sleep(_STANDING_SECONDS)
        return peek.is_mid_transaction(held.found)
    home = held.found.home
    return _has_turn(home / "digest.db.lock") or _is_locked(home / "digest.db")


def _has_turn(path: Path) -> bool:
    """Tell whether somebody has the turn to write: see `digest.storage.turn`."""
    file = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(file)


def _is_locked(path: Path) -> bool:
    with closing(sqlite3.connect(path, timeout=_STANDING_SECONDS)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        connection.rollback()
        return False


def run_cut(place: Place, name: str, *, seed: int) -> Verdict:
    """Cut a worker's connections to PostgreSQL, again and again.

    Raises:
        TrialError: A cut hit nothing.
    """
    assert place.server is not None
    with trial(place, name) as held:
        chance, cut = random.Random(seed), 0
        with recorder.recording(held.record, held.port):
            worker = workers.start(held.found)
            try:
                for number in range(1, _CUTS + 1):
                    most = place.letters * number // (_CUTS + 2)
                    held.wait_for(chance.randrange(most // 2, most))
                    cut += _cut(place.server, held, worker)
                survived = _wait_until_sent(held, worker)
                workers.end_politely(worker)
            finally:
                workers.kill_all([worker])
        bounds = Bounds(uncertain=_CUTS * CONNECTIONS)
        verdict = judge(name, held.found, [held.record], bounds)
        verdict.require(survived, "did not go on by itself")
        verdict.rounds = _CUTS
        verdict.notes = f"{cut} connections cut"
        return verdict


def _cut(server: str, held: Trial, worker: Worker) -> int:
    """Cut every connection once, until the worker's ledger notices.

    Raises:
        TrialError: There was none, or it did not.
    """
    assert held.found.database is not None
    before = len(worker.heard(_WAITING))
    cut = postgres.cut_connections(server, held.found.database)
    if not cut:
        raise TrialError("there was no connection to cut")
    wait_until(
        lambda: len(worker.heard(_WAITING)) > before,
        within=_FELT_SECONDS,
        what="the worker's word that its database is away",
    )
    return cut


def run_full(place: Place, name: str, *, seed: int) -> Verdict:
    """Fill the disk under the database for a while.

    Raises:
        TrialError: The worker did not notice, or there is no disk to fill.
    """
    with _small_disk(place, name) as home, trial(place, name) as held:
        filler = home / "filler"
        with recorder.recording(held.record, held.port):
            worker = workers.start(held.found)
            try:
                held.wait_for(random.Random(seed).randrange(1, place.letters // 2))
                _fill_until_felt(filler, home / "digest.db", worker)
                early = recorder.count(held.record)
                time.sleep(_FULL_SECONDS)
                while_full = recorder.count(held.record) - early
                filler.unlink()
                survived = _wait_until_sent(held, worker)
                workers.end_politely(worker)
            finally:
                filler.unlink(missing_ok=True)
                workers.kill_all([worker])
        verdict = judge(name, held.found, [held.record], Bounds())
        verdict.require(survived, "did not go on by itself")
        verdict.notes = f"{while_full} letters more while it was full"
        return verdict


def _fill_until_felt(filler: Path, database: Path, worker: Worker) -> None:
    """Take all the room there is until the worker says that it waits.

    Commits reuse the log of the database as long as that has room, so it is emptied.
    """
    until = time.monotonic() + _FELT_SECONDS
    with filler.open("wb", buffering=0) as file:
        while not worker.heard(_WAITING):
            if time.monotonic() > until:
                raise TrialError("the worker did not feel that its disk was full")
            _fill(file.fileno())
            with (
                suppress(sqlite3.OperationalError),
                closing(sqlite3.connect(database, timeout=1)) as connection,
            ):
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            _fill(file.fileno())
    reasons = {entry["reason"] for entry in worker.heard(_WAITING)}
    if not any("full" in reason or "I/O" in reason for reason in reasons):
        raise TrialError(f"the worker waits for something else: {reasons}")


def _fill(file: int) -> None:
    with suppress(OSError):
        while os.write(file, b"\0" * _BLOCK):
            pass


def _wait_until_sent(held: Trial, worker: Worker) -> bool:
    """Wait for the last letter; False: the worker ended, or it takes too long."""
    until = time.monotonic() + FINISH_SECONDS
    while not peek.is_sent(held.found):
        if time.monotonic() > until or not worker.is_alive:
            return False
        time.sleep(_STANDING_SECONDS)
    return True


@contextmanager
def _small_disk(place: Place, name: str) -> Iterator[Path]:
    """Mount a memory disk where a trial's home will be, with little room to spare.

    Raises:
        TrialError: That needs root.
    """
    home = place.root / name / "home"
    home.mkdir(parents=True)
    size = _SPARE + sum(p.stat().st_size for p in place.ready.home.rglob("*"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(home)]
    done = subprocess.run(mount, check=False, capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(home.parent)
        raise TrialError(f"no disk to fill: {done.stderr.strip()}")
    try:
        yield home
    finally:
        subprocess.run(["umount", str(home)], check=True)
        shutil.rmtree(home.parent)
