"""Ten years of issues in five zones: the real runner, and a clock that lies.

    python -m bench.weeks [--weeks 520] [--zones Africa/Cairo …] [--seed N]

Each zone has a newsletter of its own in a new SQLite database. The clock is stepped by
an hour either way, a week back or a year ahead, and the process ends and starts anew,
now and then. Nothing is mocked but the clock. The status is 1 where an issue
did not go once, at its hour or at the first moment after that the host could know.
"""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time as clock
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import structlog

from bench import tables
from digest.bootstrap import Service
from digest.domain.calendar import Approval, Schedule, issues_between
from digest.domain.calendar_text import write_at
from digest.domain.rhythms import weekly
from digest.settings import Settings
from digest.storage import schema
from digest.storage.engine import Database
from digest.templating import Templates
from tests.builders import SECRETS, SITE
from tests.integration.schedule.newsroom import furnish
from tests.integration.schedule.simulation import Trouble, World

START = datetime(2025, 1, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
# The share of troubles that lie around the hour of an issue.
NEAR = 0.7
STEPS = (HOUR, -HOUR, -WEEK, timedelta(days=365), None)
# Each zone at an hour that its clocks leave out, or show twice, where they have one.
PLANS = {
    "Africa/Cairo": (4, time(0, 30)),
    "Europe/Berlin": (6, time(2, 30)),
    "America/New_York": (6, time(1, 30)),
    "Australia/Lord_Howe": (6, time(2, 15)),
    "Asia/Riyadh": (3, time(23, 30)),
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a zone's issues."""

    due: int
    troubles: int
    looks: int
    prompt: int
    late: int
    asked: int
    broken: list[str]


def main() -> int:
    """Live through the years; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.weeks")
    parser.add_argument("--weeks", type=int, default=520)
    parser.add_argument("--zones", nargs="+", default=list(PLANS))
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    wanted = parser.parse_args()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )
    print(f"seed {wanted.seed}", flush=True)
    rows, broken = [], []
    for zone in wanted.zones:
        began = clock.monotonic()
        weekday, at = PLANS[zone]
        plan = Schedule(
            rhythm=weekly(weekday), at=at, zone=zone, approval=Approval.AUTO
        )
        found = live(plan, weeks=wanted.weeks, seed=wanted.seed)
        seconds = round(clock.monotonic() - began, 1)
        facts = (found.due, found.troubles, found.looks)
        ends = (found.prompt, found.late, found.asked, len(found.broken))
        rows.append([zone, write_at(plan), *facts, *ends, seconds])
        broken += [f"{zone}: {words}" for words in found.broken]
        print(rows[-1], flush=True)
    heads = ["zone", "at", "due", "troubles", "looks", "at the hour", "after it"]
    tables.show("Issues", [*heads, "asked", "broken", "seconds"], rows)
    print("\n".join(broken))
    return int(bool(broken))


def live(plan: Schedule, *, weeks: int, seed: int) -> Outcome:
    """Let a newsletter live for so many weeks, and look at what became of it."""
    with tempfile.TemporaryDirectory(prefix="weeks-") as folder:
        db = Database(f"sqlite:///{folder}/digest.db")
        schema.upgrade(db)
        service = Service(
            settings=Settings(home=Path(folder)),
            db=db,
            site=SITE,
            secrets=SECRETS,
            templates=Templates(),
            clock=lambda: START,
        )
        troubles = list(_troubles(random.Random(seed), plan, weeks))
        world = World(
            room=furnish(service),
            plan=plan,
            start=START,
            end=START + weeks * WEEK,
            troubles=troubles,
        )
        asyncio.run(world.live())
        found, broken = world.judge()
        db.close()
    return Outcome(
        due=len(world.issues()),
        troubles=len(troubles),
        looks=len(world.looks),
        prompt=found["prompt"],
        late=found["late"],
        asked=found["asked"],
        broken=broken,
    )


def _troubles(chance: random.Random, plan: Schedule, weeks: int) -> Iterator[Trouble]:
    """Up to three for each issue, most of them around its hour."""
    for issue in issues_between(plan, START, START + (weeks - 1) * WEEK):
        for _ in range(chance.randrange(4)):
            is_near = chance.random() < NEAR
            minutes = range(-600, 400) if is_near else range(-3 * 24 * 60, 3 * 24 * 60)
            yield Trouble(
                at=issue.due + chance.choice(minutes) * MINUTE,
                lasts=chance.randrange(1, 600) * MINUTE,
                error=chance.choice(STEPS),
            )


if __name__ == "__main__":
    sys.exit(main())
