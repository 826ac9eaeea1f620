"""Trials of a worker that is stopped past its lease, and wakes."""

import fcntl
import os
import random
import signal
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from bench import peek, recorder, workers
from bench.oracle import Verdict, judge
from bench.peek import Held
from bench.processes import TrialError, signal_group, wait_until
from bench.trials import Place, Trial, bounds_of_one, far_recorder, trial
from bench.workers import Worker

_FELT_SECONDS = 30.0
_MOST_STOPS = 200
_BETWEEN_STOPS_SECONDS = 0.002
_STANDING_SECONDS = 0.05
# A lease lasts 4 s and is renewed each second.
_AWAKE_SECONDS = 2.0


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
