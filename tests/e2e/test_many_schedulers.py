"""Two servers and four workers on one PostgreSQL, killed again and again.

Six newsletters are due at once. Whoever leads dies, whoever carries dies; others are
started in their place. Every issue is made once, released once, and goes to each of
its readers once, but for the letters in doubt, which are named.
"""

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from digest import bootstrap
from digest.bootstrap import installing
from digest.domain.actor import Actor, ActorKind
from digest.domain.articles import Draft
from digest.domain.calendar import Approval, Schedule
from digest.domain.rhythms import weekly
from digest.settings import load_settings
from digest.storage import articles, tables
from digest.storage.engine import Database
from digest.timetable import plans
from tests.builders import add_newsletter
from tests.e2e.house import free_port
from tests.posting import Inbox, add_reader

NEWSLETTERS = 6
READERS = 25
CONNECTIONS = 3
LIMIT_SECONDS = 120.0
DESK = Actor(kind=ActorKind.CLI)
SERVE = ("serve", "--only", "web,schedule,worker")
WORK = ("worker",)

pytestmark = pytest.mark.postgres


@dataclass(kw_only=True)
class Office:
    """Processes of one installation, and what became of their work."""

    environ: dict[str, str]
    db: Database
    inbox: Inbox
    running: dict[asyncio.subprocess.Process, Sequence[str]] = field(
        default_factory=dict
    )
    killed: int = 0

    async def start(self, command: Sequence[str]) -> None:
        port = {"DIGEST_WEB__PORT": str(free_port())}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "digest", *command),
            env=os.environ | self.environ | port,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self.running[process] = command

    async def kill(self, process: asyncio.subprocess.Process) -> None:
        """End a process without a word, and start another in its place."""
        command = self.running.pop(process)
        assert process.returncode is None, "it ended by itself"
        process.kill()
        await process.wait()
        self.killed += 1
        await self.start(command)

    async def stop(self) -> None:
        for process in self.running:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def released(self) -> int:
        c = tables.editions.c
        with self.db.read() as tx:
            return len(tx.execute(select(c.id).where(c.released_at.is_not(None))).all())

    def letters(self) -> int:
        """How many letters to readers came, so far."""
        return sum(name.endswith("@example.com") for name in self.inbox.recipients())

    def states(self) -> Counter[str]:
        with self.db.read() as tx:
            return Counter(tx.execute(select(tables.editions.c.state)).scalars())

    def deeds(self, action: str) -> list[int]:
        """How often something was done to each edition."""
        c = tables.audit.c
        with self.db.read() as tx:
            ids = tx.execute(select(c.subject_id).where(c.action == action)).scalars()
            return sorted(Counter(ids).values())


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_SECONDS):
        while not await asyncio.to_thread(is_so):  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.02)


@pytest.fixture
async def office(postgres_db: Database, tmp_path: Path) -> AsyncIterator[Office]:
    """Six newsletters whose hour was a quarter of an hour ago."""
    environ = {
        "DIGEST_HOME": str(tmp_path / "home"),
        "DIGEST_DATABASE__URL": postgres_db.url,
        "DIGEST_SMTP__HOST": "127.0.0.1",
        "DIGEST_SMTP__SECURITY": "none",
        "DIGEST_SMTP__CONNECTIONS": str(CONNECTIONS),
    }
    installing.initialise(load_settings(environ=environ), actor=DESK)
    for number in range(NEWSLETTERS):
        furnish(postgres_db, f"paper-{number}")
    inbox = Inbox()
    async with inbox.sink() as sink:
        environ["DIGEST_SMTP__PORT"] = str(sink.port)
        found = Office(environ=environ, db=postgres_db, inbox=inbox)
        yield found
        await found.stop()


def furnish(db: Database, slug: str) -> None:
    """A newsletter with a story, readers, and an issue that is due."""
    now = bootstrap.utc_now()
    due = now - timedelta(minutes=15)
    newsletter = add_newsletter(db, slug=slug)
    story = Draft(
        title=f"The council of {slug} met and agreed on a budget",
        url=f"https://127.0.0.1/{slug}",
        published_on=due.date(),
        section="news",
        standfirst="It took the councillors nine hours to agree.",
        paragraphs=("The council met.",),
        source="News Example",
    )
    plan = Schedule(
        rhythm=weekly(*range(7)),
        at=due.time().replace(second=0, microsecond=0),
        zone="UTC",
        approval=Approval.AUTO,
    )
    with db.write() as tx:
        articles.store(tx, story, newsletter_id=newsletter.id, now=now)
    plans.set_schedule(
        db,
        newsletter=slug,
        plan=plan,
        actor=DESK,
        now=now - timedelta(hours=1),
    )
    for number in range(READERS):
        add_reader(db, newsletter, f"r{number}.{slug}@example.com")


async def test_each_issue_goes_once_though_servers_and_workers_are_killed(
    office: Office,
) -> None:
    chance = random.Random(8)  # noqa: S311 - who dies
    for command in (SERVE, SERVE, WORK, WORK, WORK, WORK):
        await office.start(command)

    # One dies for each issue that has gone, and for each twentieth letter.
    for count in range(1, NEWSLETTERS):
        await until(lambda count=count: office.released() >= count)  # type: ignore[misc]
        servers = [p for p, command in office.running.items() if command == SERVE]
        await office.kill(chance.choice(servers))
        wanted = min(20 * count, NEWSLETTERS * READERS // 2)
        await until(lambda wanted=wanted: office.letters() >= wanted)  # type: ignore[misc]
        await office.kill(chance.choice(list(office.running)))
    await until(lambda: office.states() == {"sent": NEWSLETTERS})

    assert office.killed == 2 * (NEWSLETTERS - 1)
    assert office.deeds("edition.composed") == [1] * NEWSLETTERS
    assert office.deeds("edition.released") == [1] * NEWSLETTERS
    assert_one_letter_each(office)


def assert_one_letter_each(office: Office) -> None:
    """None is lost and none twice; those in doubt are named, and few."""
    with office.db.read() as tx:
        rows = tx.execute(select(tables.deliveries)).all()
    in_doubt = [row for row in rows if row.state == "uncertain"]
    copies = Counter(
        (str(message["List-Id"]), str(message["To"]))
        for message in office.inbox.messages()
        if message["List-Id"]
    )
    assert len(rows) == NEWSLETTERS * READERS
    assert {row.state for row in rows} <= {"sent", "uncertain"}
    assert len(in_doubt) <= office.killed * CONNECTIONS
    assert len(rows) - len(in_doubt) <= len(copies) <= len(rows)
    assert set(copies.values()) == {1}
