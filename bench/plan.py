"""What `make faults` tries, by name, and where."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench import conditions, kills, leaving, machines, postgres, relays, stops
from bench.installation import Installation, prepare
from bench.oracle import Verdict
from bench.relays import Fault
from bench.trials import Place

POLICIES = ("hold", "resend")
SQLITE, POSTGRESQL = "sqlite", "postgresql"


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is tried.

    Attributes:
        many: Letters of a kill trial.
        some: Letters where the relay fails.
        several: Letters of every other trial: more than a worker claims at once.
        kills: Kill trials on SQLite.
        kills_postgresql: Kill trials on PostgreSQL, two workers each.
    """

    many: int = 20_000
    some: int = 500
    several: int = 5_000
    kills: int = 20
    kills_postgresql: int = 10


QUICK = Size(many=2_500, some=300, several=2_500, kills=2, kills_postgresql=2)


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One trial.

    Attributes:
        name: Its own; the part before the first hyphen is shared by trials alike.
        database: `sqlite` or `postgresql`.
        letters: How many.
        run: Holds it at a place, under its name.
    """

    name: str
    database: str = SQLITE
    letters: int
    run: Callable[[Place, str], Verdict]

    @property
    def part(self) -> str:
        """What it is one of."""
        return self.name.partition("-")[0]

    def is_meant(self, words: Sequence[str]) -> bool:
        """Tell whether a word is its name, or the beginning of it up to a hyphen."""
        return any(f"{self.name}-".startswith(f"{word}-") for word in words)


@dataclass(kw_only=True)
class Ground:
    """Installations that trials copy, each made when it is first asked for.

    Attributes:
        root: A folder.
        server: Starts a PostgreSQL server, or returns the one that runs.
    """

    root: Path
    server: Callable[[], str]
    _places: dict[tuple[str, int], Place] = field(default_factory=dict)

    def place(self, database: str, letters: int) -> Place:
        """Return an installation with an edition of so many letters at the post."""
        key = (database, letters)
        if key not in self._places:
            self._places[key] = self._prepare(database, letters)
        return self._places[key]

    def _prepare(self, database: str, letters: int) -> Place:
        root = self.root / f"{database}-{letters}"
        root.mkdir()
        server = self.server() if database == POSTGRESQL else None
        url = postgres.create_database(server) if server else None
        ready = prepare(
            Installation(home=root / "ready", database=url), readers=letters
        )
        return Place(root=root, ready=ready, letters=letters, server=server)


def plan(size: Size, *, seed: int) -> Iterator[Planned]:
    """Name every trial.

    Args:
        size: How much.
        seed: Decides when faults are made.
    """
    yield from _relays(size.some)
    yield from _kills(size.many, SQLITE, size.kills, seed)
    yield from _conditions(size.several, SQLITE, seed)
    yield Planned(
        name="disk-full",
        letters=size.several,
        run=partial(conditions.run_full, seed=seed),
    )
    yield from _kills(size.many, POSTGRESQL, size.kills_postgresql, seed)
    yield from _conditions(size.several, POSTGRESQL, seed)
    yield Planned(
        name="database-cut",
        database=POSTGRESQL,
        letters=size.several,
        run=partial(conditions.run_cut, seed=seed),
    )
    for uncertain in POLICIES:
        yield Planned(
            name=f"machines-{uncertain}",
            database=POSTGRESQL,
            letters=size.several,
            run=partial(machines.run_machines, seed=seed, uncertain=uncertain),
        )


def _relays(letters: int) -> Iterator[Planned]:
    for how in relays.FAULTS:
        for where in relays.VERBS:
            fault = Fault(how=how, where=where)
            yield Planned(
                name=f"relay-{how}-{where}",
                letters=letters,
                run=partial(relays.run_relay, fault=fault),
            )
    for broken in relays.BROKEN_TLS:
        yield Planned(
            name=f"tls-{broken}",
            letters=letters,
            run=partial(relays.run_tls, fault=broken),
        )


def _kills(letters: int, database: str, count: int, seed: int) -> Iterator[Planned]:
    """Half of them under either policy; on PostgreSQL with two workers."""
    for number in range(count):
        uncertain = POLICIES[number % len(POLICIES)]
        run = partial(
            kills.run_kill,
            seed=seed + number,
            processes=1 if database == SQLITE else 2,
            uncertain=uncertain,
        )
        yield Planned(
            name=f"kill-{database}-{uncertain}-{number // len(POLICIES) + 1}",
            database=database,
            letters=letters,
            run=_timed(run),
        )


def _timed(run: Callable[[Place, str], Verdict]) -> Callable[[Place, str], Verdict]:
    return lambda place, name: kills.require_quick_recovery(run(place, name))


def _conditions(letters: int, database: str, seed: int) -> Iterator[Planned]:
    yield Planned(
        name=f"leave-{database}",
        database=database,
        letters=letters,
        run=partial(leaving.run_leaving, seed=seed),
    )
    for uncertain in POLICIES:
        yield Planned(
            name=f"stopped-{database}-{uncertain}",
            database=database,
            letters=letters,
            run=partial(stops.run_stopped, seed=seed, uncertain=uncertain),
        )
