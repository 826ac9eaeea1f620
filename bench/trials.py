"""Where a trial takes place: a copy of an installation, a port, an account."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import postgres, recorder, wire
from bench.installation import Installation, clone
from bench.oracle import Bounds
from bench.processes import free_port, wait_until

CONNECTIONS = 8
FINISH_SECONDS = 300.0
_FAR_SECONDS = 0.010


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
    """What a trial works with.

    Attributes:
        name: Its name.
        folder: Its own.
        found: The installation.
        record: What the recorder takes goes here.
        port: Where the installation's relay is.
    """

    name: str
    folder: Path
    found: Installation
    record: Path
    port: int

    def wait_for(self, count: int) -> None:
        """Wait until so many letters were taken.

        Raises:
            TrialError: They were not.
        """
        wait_until(
            lambda: recorder.count(self.record) >= count,
            within=FINISH_SECONDS,
            what=f"{count} letters",
        )


@contextmanager
def trial(place: Place, name: str, **settings: str) -> Iterator[Trial]:
    """Copy the installation to a folder; both are deleted when the block ends.

    The home is a folder in that folder, so that a disk of its own may be mounted there.
    """
    port, folder = free_port(), place.root / name
    usual = {
        "DIGEST_SMTP__HOST": "127.0.0.1",
        "DIGEST_SMTP__PORT": str(port),
        "DIGEST_SMTP__SECURITY": "none",
        "DIGEST_SMTP__CONNECTIONS": str(CONNECTIONS),
    }
    found = clone(place.ready, folder / "home", usual | settings)
    try:
        yield Trial(
            name=name,
            folder=folder,
            found=found,
            record=folder / "taken.tsv",
            port=port,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if place.server and found.database:
            postgres.drop_database(place.server, found.database)


def bounds_of_one(uncertain: str) -> Bounds:
    """One worker died or slept: what it had open may be in doubt, or come twice."""
    if uncertain == "resend":
        return Bounds(copies=CONNECTIONS)
    return Bounds(uncertain=CONNECTIONS)


@contextmanager
def far_recorder(held: Trial) -> Iterator[None]:
    """Run a recorder behind a wire: the send lasts, and nobody is through at once."""
    port = free_port()
    with (
        recorder.recording(held.record, port),
        wire.wired(port, port=held.port, round_trip=_FAR_SECONDS),
    ):
        yield
