"""An installation as its operator sees it: a home, a database, commands."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import postgres
from bench.processes import TrialError
from digest.cli.bench_edition import PARAGRAPH, STORY, write_list

_PAGE = 1000


@dataclass(frozen=True, kw_only=True)
class Installation:
    """One home, driven by its commands.

    Attributes:
        home: The folder.
        database: URL of a PostgreSQL database; None: SQLite in the home.
        settings: Further `DIGEST_*` variables.
    """

    home: Path
    database: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """What its commands say where nobody listens; beside the home."""
        return self.home.with_suffix(".log")

    @property
    def environment(self) -> dict[str, str]:
        """The variables its commands are run with."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("DIGEST_")}
        found = kept | {"DIGEST_HOME": str(self.home), **self.settings}
        if self.database is not None:
            found["DIGEST_DATABASE__URL"] = self.database
        return found

    def run(self, *arguments: str) -> Any:
        """Run a command to its end; returns its JSON document.

        Raises:
            TrialError: It failed.
        """
        done = subprocess.run(
            [sys.executable, "-m", "digest", *arguments, "--json"],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise TrialError(
                f"digest {' '.join(arguments)}: {done.stdout}{done.stderr}"
            )
        return json.loads(done.stdout)

    def status(self) -> Any:
        """Return how far the edition is."""
        return self.run("editions", "status", "1")

    def listed(self, state: str) -> Iterator[str]:
        """List the readers whose letters are in a state."""
        rows = self.pages("deliveries", "list", "1", "--state", state)
        return (row["address"] for row in rows)

    def pages(self, *arguments: str) -> Iterator[dict[str, Any]]:
        """Run a command that lists, page after page; yields its items."""
        after = 0
        while True:
            page = self.run(*arguments, "--limit", str(_PAGE), "--after", str(after))
            yield from page["items"]
            if page["next"] is None:
                return
            after = page["next"]

    def suppressed(self) -> int:
        """Count the addresses that are not written to any more."""
        reasons = self.run("subscribers", "stats")["suppressions"]
        return sum(reasons.values())


def prepare(found: Installation, *, readers: int, octets: int = 8_000) -> Installation:
    """Fill a home up to an edition that was released and waits for a worker.

    Args:
        found: An empty home.
        readers: How many letters.
        octets: About how large the text of the letter is made.
    """
    fill(found, readers=readers, octets=octets)
    found.run("editions", "release", "1")
    return found


def fill(found: Installation, *, readers: int, octets: int = 8_000) -> None:
    """Fill a home up to an edition that is approved."""
    found.home.mkdir(parents=True, exist_ok=True)
    story, names = found.home / "story.txt", found.home / "readers.csv"
    story.write_text(STORY, encoding="ascii")
    write_list(names, readers)
    found.run("init")
    found.run("subscribers", "import", str(names), "--consent", "Made up for a trial.")
    link = ("--url", "https://example.com/trial", "--section", "news")
    found.run("articles", "import", str(story), *link)
    found.run("editions", "compose", "--articles", "1")
    opening = "\n".join([PARAGRAPH.strip()] * (octets // 3 // len(PARAGRAPH)))
    found.run("editions", "edit", "1", "--opening", opening)
    found.run("editions", "approve", "1", "--because", "A trial accepts every warning.")


def readers_of(found: Installation) -> set[str]:
    """Return everybody who was to get a letter."""
    lines = (found.home / "readers.csv").read_text(encoding="ascii").split()
    return set(lines[1:])


def clone(found: Installation, home: Path, settings: Mapping[str, str]) -> Installation:
    """Copy an installation nobody works for, with its database."""
    shutil.copytree(found.home, home, dirs_exist_ok=True)
    database = found.database
    if database is not None:
        database = postgres.create_database(database, template=database)
    made = Installation(
        home=home, database=database, settings={**found.settings, **settings}
    )
    made.run("adopt", "--join")
    return made
