"""A million readers: import, release, the first letter, and memory while sending.

`python -m bench.lists`. The figures come with the machine, and go to `var/bench`.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import postgres, recorder, tables, workers
from bench.installation import Installation, fill
from bench.processes import (
    TrialError,
    free_port,
    module,
    rss_mb,
    signal_group,
    start,
    tidy_up_when_ended,
    wait_until,
)
from digest.cli.bench_edition import write_list

_LONGEST_SECONDS = 1800.0
_LOOK_SECONDS = 0.1
_SAMPLE_SECONDS = 1.0
# Of the samples, the first part is warming up.
_SETTLED = 3


def main() -> None:
    """Measure both databases, print, and keep the figures."""
    wanted = _parse()
    tidy_up_when_ended()
    figures: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        tables.FOLDER.mkdir(parents=True, exist_ok=True)
        root = tempfile.TemporaryDirectory(dir=tables.FOLDER)
        home, port = Path(stack.enter_context(root)), free_port()
        server = stack.enter_context(postgres.server())
        for kind in ("sqlite", "postgresql"):
            database = postgres.create_database(server) if kind != "sqlite" else None
            found = Installation(
                home=home / kind, database=database, settings=_settings(port)
            )
            record = home / f"{kind}.tsv"
            with recorder.recording(record, port):
                figures[kind] = _measure(found, record, wanted)
            print(f"{kind}: {json.dumps(figures[kind])}", flush=True)
    facts = tables.machine()
    print("\n" + "; ".join(f"{name} {value}" for name, value in facts.items()))
    names = list(figures["sqlite"])
    rows = [[name, *(part[name] for part in figures.values())] for name in names]
    tables.show(f"{wanted.readers:,} readers", ["", *figures], rows)
    document = {"machine": facts, "options": vars(wanted), "figures": figures}
    print(f"\nKept in {tables.keep('lists', document)}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.lists")
    parser.add_argument("--readers", type=int, default=1_000_000)
    parser.add_argument("--letters", type=int, default=100_000, help="sent of them")
    return parser.parse_args()


def _settings(port: int) -> dict[str, str]:
    return {
        "DIGEST_SMTP__HOST": "127.0.0.1",
        "DIGEST_SMTP__PORT": str(port),
        "DIGEST_SMTP__SECURITY": "none",
        "DIGEST_SMTP__CONNECTIONS": "16",
    }


def _measure(
    found: Installation, record: Path, wanted: argparse.Namespace
) -> dict[str, Any]:
    # One reader before the others, so that an edition can be approved.
    fill(found, readers=1, octets=20_000)
    names = found.home / "many.csv"
    write_list(names, wanted.readers)
    consent = ("--consent", "Made up for a bench.")
    seconds, peak = _watch(found, "subscribers", "import", str(names), *consent)
    figures: dict[str, Any] = {
        "import seconds": seconds,
        "import rows a second": wanted.readers / seconds,
        "import peak MB": peak,
    }
    worker = workers.start(found).process
    try:
        # Idle, as it would be when an edition is released.
        time.sleep(_SAMPLE_SECONDS * 3)
        seconds, peak = _watch(found, "editions", "release", "1")
        figures |= {"release seconds": seconds, "release peak MB": peak}
        figures["first letter seconds"] = _wait_for_first(record)
        samples = _sample(record, worker, wanted.letters)
        figures |= _describe(samples)
    finally:
        signal_group(worker, signal.SIGTERM)
        worker.wait()
    return figures


def _watch(found: Installation, *arguments: str) -> tuple[float, float]:
    """Run a command; returns its seconds and its peak memory in MB.

    Raises:
        TrialError: It failed.
    """
    began, peak = time.monotonic(), 0.0
    command = module("digest", *arguments, "--json")
    process = start(command, env=found.environment, log=found.log)
    while process.poll() is None:
        peak = max(peak, rss_mb(process.pid))
        time.sleep(_LOOK_SECONDS)
    if process.returncode:
        raise TrialError(f"{' '.join(arguments)}: {found.log.read_text()}")
    return time.monotonic() - began, peak


def _wait_for_first(record: Path) -> float:
    """Wait for the first letter; returns seconds since now, when it was released."""
    released = time.time()
    wait_until(
        lambda: recorder.count(record) > 0, within=_LONGEST_SECONDS, what="a letter"
    )
    # It may have been on its way before the command that released it had ended.
    return max(0.0, recorder.read(record)[0].at - released)


def _sample(record: Path, worker: subprocess.Popen[bytes], count: int) -> list[float]:
    """Look at the worker's memory each second until so many were taken."""
    samples, until = list[float](), time.monotonic() + _LONGEST_SECONDS
    while recorder.count(record) < count and time.monotonic() < until:
        samples.append(rss_mb(worker.pid))
        time.sleep(_SAMPLE_SECONDS)
    return samples or [rss_mb(worker.pid)]


def _describe(samples: list[float]) -> dict[str, Any]:
    """Say how much memory there was, and whether it grew once it was warm."""
    warm = samples[len(samples) // _SETTLED :]
    half = max(1, len(warm) // 2)
    before, after = max(warm[:half]), max(warm[-half:])
    return {
        "sending peak MB": max(samples),
        "sending growth": f"{(after / before - 1) * 100:+.1f} %",
    }


if __name__ == "__main__":
    try:
        main()
    except TrialError as error:
        sys.exit(f"error: {error}")
