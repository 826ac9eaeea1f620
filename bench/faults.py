"""Break what the post stands on, and see whether its promises hold. `make faults`.

Every trial prints one line; the status is 1 where a promise was broken. Only processes
that were started here are ended, and nothing leaves this machine.
"""

import argparse
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import conditions, kills, postgres, relays
from bench.installation import Installation, prepare
from bench.kills import Place
from bench.oracle import Verdict
from bench.processes import TrialError, tidy_up_when_ended

POLICIES = ("hold", "resend")
GROUPS = ("kill", "kill-pg", "relay", "tls", "worker", "disk", "database", "leave")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is tried.

    Attributes:
        letters: Of a kill trial.
        few: Letters of every other trial.
        kills: Kill trials on SQLite.
        kills_postgres: Kill trials on PostgreSQL, two workers each.
        options: Faults of the relay, as smtp-sink names them.
        verbs: Where it fails.
    """

    letters: int = 20_000
    few: int = 1_000
    kills: int = 20
    kills_postgres: int = 10
    options: tuple[str, ...] = tuple(relays.FAULTS)
    verbs: tuple[str, ...] = relays.VERBS


QUICK = Plan(
    letters=2_000,
    few=300,
    kills=2,
    kills_postgres=2,
    options=("-q", "-f"),
    verbs=("MAIL", "."),
)

Run = Callable[[], Verdict]


def main() -> int:
    """Hold the trials; returns the exit status."""
    wanted = _parse()
    tidy_up_when_ended()
    plan = QUICK if wanted.quick else Plan()
    began = time.monotonic()
    print(f"seed {wanted.seed}, {plan.letters} letters in a kill trial", flush=True)
    verdicts = []
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-"))
        Path(folder).chmod(0o755)  # smtp-sink gives up its rights and writes below
        for run in _trials(wanted, plan, Path(folder), stack):
            verdicts.append(_hold(run))
            print(verdicts[-1].line(), flush=True)
    _summarise(verdicts, time.monotonic() - began)
    return int(any(verdict.broken for verdict in verdicts))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.faults")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter")
    parser.add_argument("--only", choices=GROUPS, nargs="+", default=list(GROUPS))
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    return parser.parse_args()


def _trials(
    wanted: argparse.Namespace, plan: Plan, root: Path, stack: ExitStack
) -> Iterator[Run]:
    only, seed = set(wanted.only), wanted.seed
    if only & {"kill", "leave"}:
        place = _place(root / "kills", plan.letters)
        if "leave" in only:
            yield partial(conditions.run_leaving, place, seed=seed)
        if "kill" in only:
            yield from _kill_trials(place, plan.kills, seed=seed, workers=1)
    if only & {"relay", "tls", "worker", "disk"}:
        place = _place(root / "few", plan.few)
        yield from _sqlite_trials(place, plan, only, seed)
    if only & {"kill-pg", "database"}:
        server = stack.enter_context(postgres.server())
        if "kill-pg" in only:
            place = _place(root / "kills-pg", plan.letters, server)
            yield from _kill_trials(place, plan.kills_postgres, seed=seed, workers=2)
        if "database" in only:
            place = _place(root / "few-pg", plan.few, server)
            yield from _database_trials(place, seed)


def _place(root: Path, letters: int, server: str | None = None) -> Place:
    """Prepare the installation that the trials copy."""
    root.mkdir()
    database = postgres.create_database(server) if server else None
    ready = Installation(home=root / "ready", database=database)
    prepare(ready, readers=letters)
    return Place(root=root, ready=ready, letters=letters, server=server)


def _kill_trials(
    place: Place, trials: int, *, seed: int, workers: int
) -> Iterator[Run]:
    for number in range(trials):
        yield partial(
            kills.run_kill,
            place,
            number + 1,
            seed=seed + number,
            workers=workers,
            uncertain=POLICIES[number % 2],
        )


def _sqlite_trials(
    place: Place, plan: Plan, only: set[str], seed: int
) -> Iterator[Run]:
    trials: dict[str, Iterator[Run]] = {
        "relay": _relay_trials(place, plan),
        "tls": (partial(relays.run_tls, place, fault) for fault in relays.BROKEN_TLS),
        "worker": (
            partial(conditions.run_stopped, place, seed=seed, uncertain=uncertain)
            for uncertain in POLICIES
        ),
        "disk": iter([partial(conditions.run_full, place, seed=seed)]),
    }
    for group, runs in trials.items():
        if group in only:
            yield from runs


def _relay_trials(place: Place, plan: Plan) -> Iterator[Run]:
    for option in plan.options:
        for verb in plan.verbs:
            yield partial(relays.run_relay, place, option, verb)


def _database_trials(place: Place, seed: int) -> Iterator[Run]:
    yield partial(conditions.run_cut, place, seed=seed)
    for uncertain in POLICIES:
        yield partial(conditions.run_stopped, place, seed=seed, uncertain=uncertain)
        yield partial(conditions.run_machines, place, seed=seed, uncertain=uncertain)


def _hold(run: Run) -> Verdict:
    """Hold one trial; one that cannot be held counts as broken."""
    try:
        return run()
    except TrialError as error:
        name = getattr(getattr(run, "func", run), "__name__", "trial")
        return Verdict(name=name, broken=[f"not held: {error}"])


def _summarise(verdicts: list[Verdict], seconds: float) -> None:
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        kind = re.split(r" \d| seed|,", verdict.name)[0]
        groups.setdefault(kind, []).append(verdict)
    print(f"\n{'trials':<44} held broken lost copies in doubt")
    for kind, some in groups.items():
        broken = sum(bool(verdict.broken) for verdict in some)
        lost, copies, doubt = (
            sum(getattr(verdict, name) for verdict in some)
            for name in ("lost", "copies", "uncertain")
        )
        print(f"{kind:<44} {len(some):>4} {broken:>6} {lost:>4} {copies:>6} {doubt:>8}")
    broken = sum(bool(verdict.broken) for verdict in verdicts)
    word = f"{broken} BROKEN" if broken else "every promise held"
    print(f"{len(verdicts)} trials in {seconds:.0f} s: {word}")


if __name__ == "__main__":
    sys.exit(main())
