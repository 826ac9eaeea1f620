"""Readers who leave while an edition goes out: one-click POSTs a second, and how long.

`python -m bench.pages`. The pages, the worker, the sink and the load share the machine.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import peek, processes, tables, workers
from bench.installation import Installation, prepare
from bench.posts import Told, post
from bench.processes import (
    TrialError,
    free_port,
    module,
    smtp_sink,
    tidy_up_when_ended,
    wait_until,
)
from digest.care.keys import read_secrets
from digest.domain.tokens import Purpose

WANTED_PER_SECOND = 500
WANTED_MS = 50.0
WANTED_LETTERS = 200
_MINUTE = 60
_READY_SECONDS = 60.0
# What the first requests load, every later one finds loaded.
_WARM_UP = 100
_SHARES = {"p50 ms": 0.50, "p95 ms": 0.95, "p99 ms": 0.99, "worst ms": 1.0}


def main() -> None:
    """Measure, print, and keep the figures in `var/bench`.

    Raises:
        TrialError: What was wanted was not reached, or somebody did not leave.
    """
    wanted = _parse()
    tidy_up_when_ended()
    tables.FOLDER.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        root = stack.enter_context(tempfile.TemporaryDirectory(dir=tables.FOLDER))
        sink = stack.enter_context(smtp_sink())
        found = _make(Path(root), port=sink, wanted=wanted)
        figures = _measure(found, wanted)
    facts = tables.machine()
    print("\n" + "; ".join(f"{name} {value}" for name, value in facts.items()))
    title = (
        f"{wanted.posts:,} readers leave, offered {wanted.rate or 'at most'} a second"
    )
    tables.show(title, ["", "measured"], list(figures.items()))
    document = {"machine": facts, "options": vars(wanted), "figures": figures}
    print(f"\nKept in {tables.keep('pages', document)}")
    slow = figures["posts a second"] < WANTED_PER_SECOND
    starved = figures["letters a second"] < WANTED_LETTERS
    if figures["p99 ms"] > WANTED_MS or slow or starved:
        raise TrialError(
            f"wanted: {WANTED_PER_SECOND} a second, p99 {WANTED_MS:g} ms, "
            f"beside {WANTED_LETTERS} letters a second"
        )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.pages")
    parser.add_argument("--posts", type=int, default=12_000)
    parser.add_argument("--rate", type=int, default=520, help="a second; 0: the most")
    parser.add_argument("--connections", type=int, default=64)
    # More than wanted: permits that a second leaves unused are gone.
    parser.add_argument("--letters", type=int, default=230, help="a second, at most")
    parser.add_argument("--readers", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


def _make(root: Path, *, port: int, wanted: argparse.Namespace) -> Installation:
    """Prepare an edition that is at the post, with a limit, for a sink."""
    settings = {
        "DIGEST_SMTP__HOST": "127.0.0.1",
        "DIGEST_SMTP__PORT": str(port),
        "DIGEST_SMTP__SECURITY": "none",
        "DIGEST_SMTP__RATE_PER_MINUTE": str(wanted.letters * _MINUTE),
        "DIGEST_WEB__HOST": "127.0.0.1",
        "DIGEST_WEB__PORT": str(free_port()),
    }
    found = Installation(home=root / "home", settings=settings)
    return prepare(found, readers=wanted.readers)


def _measure(found: Installation, wanted: argparse.Namespace) -> dict[str, Any]:
    """Post while the worker sends.

    Raises:
        TrialError: An answer was not 200, or somebody did not leave.
    """
    port = int(found.settings["DIGEST_WEB__PORT"])
    paths = _links(found, wanted.posts + _WARM_UP, wanted.seed)
    serving = module("digest", "serve", "--only", "web")
    pages = processes.start(serving, env=found.environment, log=found.log)
    crew = [workers.start(found)]
    try:
        wait_until(
            lambda: processes.listens(port), within=_READY_SECONDS, what="the pages"
        )
        wait_until(
            lambda: peek.counts(found)["sent"] > wanted.letters,
            within=_READY_SECONDS,
            what="the first letters",
        )
        post(port, paths[:_WARM_UP], rate=0, connections=8)
        before, began = peek.counts(found)["sent"], time.monotonic()
        told = post(
            port,
            paths[_WARM_UP:],
            rate=wanted.rate,
            connections=wanted.connections,
        )
        sent = peek.counts(found)["sent"] - before
        figures = _describe(told) | {
            "letters a second": sent / (time.monotonic() - began),
            "pages' memory MB": processes.rss_mb(pages.pid),
        }
    finally:
        workers.kill_all(crew)
        processes.kill(pages)
    _require_left(found, told, len(paths))
    return figures


def _links(found: Installation, count: int, seed: int) -> Sequence[str]:
    """Choose who leaves; returns the paths of their links.

    Theirs are the last letters, so that nearly none is passed over and the worker
    carries as many as it is meant to.
    """
    ids = sorted(peek.reader_ids(found).values())[-2 * count :]
    tokens = read_secrets(found.home / "keys").tokens
    return [
        f"/u/{tokens.issue(Purpose.UNSUBSCRIBE, row_id)}"
        for row_id in random.Random(seed).sample(ids, count)
    ]


def _describe(told: Told) -> dict[str, Any]:
    shares = {name: told.part(share) for name, share in _SHARES.items()}
    return {"posts a second": told.per_second, **shares}


def _require_left(found: Installation, told: Told, count: int) -> None:
    """Raise unless everybody was answered 200 and is out, with evidence.

    Raises:
        TrialError: Somebody was not.
    """
    if told.bad:
        raise TrialError(f"{told.bad} answers were not 200")
    kept = peek.leaves(found)
    if kept != {"left": count, "evidence": count, "audit": count}:
        raise TrialError(f"{count} left, but the database holds {kept}")


if __name__ == "__main__":
    try:
        main()
    except TrialError as error:
        sys.exit(f"error: {error}")
