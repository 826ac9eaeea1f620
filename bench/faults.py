"""Break what the post stands on, and see whether its promises hold. `make faults`.

Every trial prints one line; at the end there is a table, also kept as JSON, and the
status is 1 where a promise was broken or a trial could not be held. Only processes
that were started here are ended, and nothing leaves this machine.
"""

import argparse
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

from bench import postgres, tables
from bench.oracle import Verdict
from bench.plan import QUICK, Ground, Planned, Size, plan
from bench.processes import TrialError, tidy_up_when_ended


def main() -> int:
    """Hold the trials; returns the exit status."""
    wanted = _parse()
    chosen = _choose(wanted)
    if wanted.list:
        print("\n".join(trial.name for trial in chosen))
        return 0
    tidy_up_when_ended()
    print(f"seed {wanted.seed}, {len(chosen)} trials", flush=True)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-"))
        Path(folder).chmod(0o755)  # smtp-sink gives up its rights and writes below
        ground = Ground(
            root=Path(folder),
            server=cache(lambda: stack.enter_context(postgres.server())),
        )
        verdicts = [_hold(trial, ground) for trial in chosen]
    _report(verdicts, vars(wanted))
    return int(any(verdict.broken for verdict in verdicts))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.faults")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter")
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="trials by name, or how it begins"
    )
    parser.add_argument("--list", action="store_true", help="only name the trials")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    return parser.parse_args()


def _choose(wanted: argparse.Namespace) -> list[Planned]:
    trials = list(plan(QUICK if wanted.quick else Size(), seed=wanted.seed))
    if wanted.only is None:
        return trials
    for word in wanted.only:
        if not any(trial.is_meant([word]) for trial in trials):
            sys.exit(f"error: there is no trial {word!r}; --list names them all")
    return [trial for trial in trials if trial.is_meant(wanted.only)]


def _hold(trial: Planned, ground: Ground) -> Verdict:
    """Hold one trial; one that cannot be held counts as broken."""
    try:
        place = ground.place(trial.database, trial.letters)
        began = time.monotonic()
        verdict = trial.run(place, trial.name)
    except TrialError as error:
        verdict = Verdict(name=trial.name, broken=[f"not held: {error}"])
    except Exception as error:  # noqa: BLE001 - the others are held all the same
        traceback.print_exc()
        verdict = Verdict(name=trial.name, broken=[f"not held: {error!r}"])
    else:
        verdict = replace(verdict, seconds=round(time.monotonic() - began, 1))
    print(verdict.line(), flush=True)
    return verdict


def _report(verdicts: Sequence[Verdict], options: dict[str, object]) -> None:
    facts = tables.machine()
    print("\n" + "; ".join(f"{name} {value}" for name, value in facts.items()))
    heads = ["trial", "rounds", "kills", "lost", "copies", "bound", "in doubt"]
    tables.show(
        "Trials",
        [*heads, "worst recovery s", "seconds", "result"],
        [
            [
                *(v.name, v.rounds, v.kills, v.lost, v.copies, v.bound, v.uncertain),
                *(v.recovery, v.seconds, v.result),
            ]
            for v in verdicts
        ],
    )
    _report_parts(verdicts)
    document = {
        "machine": facts,
        "options": options,
        "trials": [asdict(v) | {"result": v.result} for v in verdicts],
    }
    print(f"\nKept in {tables.keep('faults', document)}")


def _report_parts(verdicts: Sequence[Verdict]) -> None:
    """Add up trials that are alike: `kill-sqlite-hold-1` is one of `kill-sqlite`."""
    parts: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        parts.setdefault(verdict.name.partition("-")[0], []).append(verdict)
    parts["altogether"] = list(verdicts)
    rows = [
        [
            *(name, len(some), sum(bool(v.broken) for v in some)),
            *(sum(getattr(v, key) for v in some) for key in ("kills", "lost")),
            *(sum(getattr(v, key) for v in some) for key in ("copies", "uncertain")),
            max((v.recovery for v in some if v.recovery is not None), default=None),
            sum(v.seconds for v in some),
        ]
        for name, some in parts.items()
    ]
    heads = ["trials", "broken", "kills", "lost", "copies", "in doubt"]
    tables.show("Parts", ["", *heads, "worst recovery s", "seconds"], rows)


if __name__ == "__main__":
    sys.exit(main())
