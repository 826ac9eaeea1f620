"""Trials of what a worker stands on: its database cut off, its disk full."""

import os
import random
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from bench import peek, postgres, recorder, workers
from bench.oracle import Bounds, Verdict, judge
from bench.processes import TrialError, wait_until
from bench.trials import (
    CONNECTIONS,
    FINISH_SECONDS,
    Place,
    Trial,
    far_recorder,
    trial,
)
from bench.workers import Worker

_CUTS = 5
_FELT_SECONDS = 30.0
_FULL_SECONDS = 6.0
_LOOK_SECONDS = 0.05
_SPARE = 24 * 1024 * 1024
_BLOCK = 4096
_WAITING = "ledger.waiting"


def run_cut(place: Place, name: str, *, seed: int) -> Verdict:
    """Cut a worker's connections to PostgreSQL, again and again.

    Raises:
        TrialError: A cut hit nothing.
    """
    assert place.server is not None
    with trial(place, name) as held:
        chance, cut = random.Random(seed), 0
        with far_recorder(held):
            worker = workers.start(held.found)
            try:
                for number in range(1, _CUTS + 1):
                    most = place.letters * number // (_CUTS + 2)
                    # Not while it still waits after the last cut.
                    least = recorder.count(held.record) + CONNECTIONS * 2
                    held.wait_for(max(least, chance.randrange(most // 2, most)))
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
        TrialError: There was nothing to cut, or it did not.
    """
    assert held.found.database is not None
    before = len(worker.heard(_WAITING))
    cut = postgres.cut_connections(server, held.found.database)
    if not cut or peek.is_sent(held.found):
        raise TrialError("there was nothing to cut")
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
        time.sleep(_LOOK_SECONDS)
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
