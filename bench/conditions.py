"""Trials of workers and what they stand on: stopped, cut off, out of disk, moved."""

import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from bench import postgres, recorder
from bench.installation import readers_of
from bench.kills import (
    CONNECTIONS,
    Place,
    Trial,
    is_alive,
    stop_all,
    trial,
    wait_for_end,
)
from bench.oracle import Bounds, Verdict, judge
from bench.processes import TrialError, module, signal_group, start, wait_until

_FINISH_SECONDS = 300.0
_CUTS = 5
_FULL_SECONDS = 6.0
_STOPPED_SECONDS = 12.0
_MOST_STOPS = 200
_LEAVING = 200
_SPARE = 24 * 1024 * 1024
_BLOCK = 16 * 1024


def run_stopped(place: Place, *, seed: int, uncertain: str) -> Verdict:
    """Stop a worker past its lease while another goes on, then wake it."""
    kind = "postgresql" if place.server else "sqlite"
    name = f"stopped past its lease, {kind}, {uncertain}, seed {seed}"
    with trial(place, name, DIGEST_SEND__UNCERTAIN=uncertain) as held:
        with recorder.recording(held.record, held.port):
            crew = [held.found.start_worker()]
            try:
                _wait_for(held, random.Random(seed).randrange(1, place.letters // 2))
                _stop(held, crew[0])
                early = recorder.count(held.record)
                crew.append(held.found.start_worker("--once"))
                _pass_lease(crew[1])
                meanwhile = recorder.count(held.record) - early
                signal_group(crew[0], signal.SIGCONT)
                wait_for_end(crew[1:])
                _end_politely(crew[0])
            finally:
                stop_all(crew)
        verdict = judge(name, held.found, [held.record], _bounds(uncertain))
        verdict.notes = f"{meanwhile} letters by the other meanwhile"
        return verdict


def _stop(held: Trial, worker: subprocess.Popen[bytes]) -> None:
    """Stop a worker where it does not hold SQLite's write lock.

    There it would keep everybody out, and nobody could take its lease over.
    """
    for _ in range(_MOST_STOPS):
        signal_group(worker, signal.SIGSTOP)
        if held.found.database is not None or not _is_locked(held.found.home):
            return
        signal_group(worker, signal.SIGCONT)
        time.sleep(0.002)


def _is_locked(home: Path) -> bool:
    with closing(sqlite3.connect(home / "digest.db", timeout=0.05)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        connection.rollback()
        return False


def _pass_lease(other: subprocess.Popen[bytes]) -> None:
    """Wait longer than a lease lasts, or until the other worker is through."""
    until = time.monotonic() + _STOPPED_SECONDS
    while time.monotonic() < until and is_alive(other):
        time.sleep(0.1)


def run_cut(place: Place, *, seed: int) -> Verdict:
    """Cut a worker's connections to PostgreSQL, again and again."""
    name = f"database cut {_CUTS} times, seed {seed}"
    assert place.server is not None
    with trial(place, name) as held:
        assert held.found.database is not None
        chance, cut = random.Random(seed), 0
        with recorder.recording(held.record, held.port):
            worker = held.found.start_worker()
            try:
                for number in range(1, _CUTS + 1):
                    most = place.letters * number // (_CUTS + 2)
                    _wait_for(held, chance.randrange(most // 2, most))
                    cut += postgres.cut_connections(place.server, held.found.database)
                survived = _wait_until_sent(held, worker)
                _end_politely(worker)
            finally:
                stop_all([worker])
        bounds = Bounds(uncertain=_CUTS * CONNECTIONS)
        verdict = judge(name, held.found, [held.record], bounds)
        verdict.require(survived, "did not go on by itself")
        verdict.notes = f"{cut} connections cut"
        return verdict


def run_full(place: Place, *, seed: int) -> Verdict:
    """Fill the disk under the database for a while."""
    name = f"disk full, seed {seed}"
    with _small_disk(place, name) as own, trial(own, "home") as held:
        filler = held.found.home / "filler"
        with recorder.recording(held.record, held.port):
            worker = held.found.start_worker()
            try:
                _wait_for(held, random.Random(seed).randrange(1, place.letters // 2))
                _fill(filler)
                early = recorder.count(held.record)
                time.sleep(_FULL_SECONDS)
                while_full = recorder.count(held.record) - early
                filler.unlink()
                survived = _wait_until_sent(held, worker)
                _end_politely(worker)
            finally:
                filler.unlink(missing_ok=True)
                stop_all([worker])
        verdict = judge(name, held.found, [held.record], Bounds())
        verdict.require(survived, "did not go on by itself")
        verdict.notes = f"{while_full} letters more while it was full"
        return verdict


def run_machines(place: Place, *, seed: int, uncertain: str) -> Verdict:
    """Let two homes share one PostgreSQL, and kill everything of one of them."""
    name = f"two machines, one killed, {uncertain}, seed {seed}"
    with trial(place, name, DIGEST_SEND__UNCERTAIN=uncertain) as held:
        other = replace(held.found, home=held.found.home.with_name("other-machine"))
        shutil.copytree(held.found.home, other.home)
        with recorder.recording(held.record, held.port):
            crew = [held.found.start_worker("--once"), other.start_worker("--once")]
            try:
                _wait_for(held, random.Random(seed).randrange(1, place.letters // 2))
                stop_all(crew[:1])
                wait_for_end(crew[1:])
            finally:
                stop_all(crew)
                shutil.rmtree(other.home)
                other.log.unlink(missing_ok=True)
        return judge(name, held.found, [held.record], _bounds(uncertain))


def run_leaving(place: Place, *, seed: int) -> Verdict:
    """Let readers leave during the send: a second later nothing goes to them."""
    name = f"readers leave during the send, seed {seed}"
    with trial(place, name) as held:
        readers = sorted(readers_of(held.found))
        leaving = random.Random(seed).sample(readers, min(_LEAVING, len(readers) // 2))
        said = held.found.home / "left.tsv"
        command = module("bench.leaver", str(held.record), *leaving)
        with recorder.recording(held.record, held.port):
            leaver = start(command, env=held.found.environment, log=said)
            worker = held.found.start_worker("--once")
            try:
                wait_for_end([leaver, worker])
            finally:
                stop_all([leaver, worker])
        left = _read_times(said)
        late = [
            letter
            for letter in recorder.read(held.record)
            if letter.at > left.get(letter.recipient, letter.at) + 1
        ]
        bounds = Bounds(skipped=len(leaving))
        verdict = judge(name, held.found, [held.record], bounds)
        verdict.require(len(left) == len(leaving), "the trial's readers did not leave")
        verdict.require(not late, f"{len(late)} letters later than a second")
        skipped = held.found.status()["counts"]["skipped"]
        verdict.notes = f"{skipped} of {len(left)} left in time"
        return verdict


def _read_times(path: Path) -> dict[str, float]:
    lines = path.read_text(encoding="utf-8").splitlines()
    parts = (line.split("\t") for line in lines if "\t" in line)
    return {address: float(at) for address, at in parts}


def _bounds(uncertain: str) -> Bounds:
    """One worker died or slept: what it had open may be in doubt, or come twice."""
    if uncertain == "resend":
        return Bounds(copies=CONNECTIONS)
    return Bounds(uncertain=CONNECTIONS)


def _wait_for(held: Trial, count: int) -> None:
    wait_until(
        lambda: recorder.count(held.record) >= count,
        within=_FINISH_SECONDS,
        what=f"{count} letters",
    )


def _wait_until_sent(held: Trial, worker: subprocess.Popen[bytes]) -> bool:
    """Wait for the last letter; False: the worker ended, or it takes too long."""
    until = time.monotonic() + _FINISH_SECONDS
    while held.found.status()["state"] != "sent":
        if time.monotonic() > until or not is_alive(worker):
            return False
    return True


def _end_politely(worker: subprocess.Popen[bytes]) -> None:
    signal_group(worker, signal.SIGTERM)
    wait_for_end([worker], within=60)


@contextmanager
def _small_disk(place: Place, name: str) -> Iterator[Place]:
    """Mount a memory disk with little room beyond the installation.

    Raises:
        TrialError: That needs root.
    """
    disk = place.root / "small-disk"
    disk.mkdir()
    size = _SPARE + sum(p.stat().st_size for p in place.ready.home.rglob("*"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
    done = subprocess.run(mount, check=False, capture_output=True, text=True)
    if done.returncode:
        disk.rmdir()
        raise TrialError(f"{name}: {done.stderr.strip()}")
    try:
        yield replace(place, root=disk)
    finally:
        subprocess.run(["umount", str(disk)], check=True)
        disk.rmdir()


def _fill(path: Path) -> None:
    """Take all the room there is."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * _BLOCK):
                pass
        except OSError:
            return
