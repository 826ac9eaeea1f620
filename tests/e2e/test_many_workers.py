"""Several worker processes, on one machine or two: each reader gets one letter."""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from digest import bootstrap
from digest.bootstrap import installing
from digest.care.installation import adopt
from digest.dispatch.queue import Queue
from digest.domain.actor import Actor, ActorKind
from digest.domain.editions import Edition
from digest.settings import load_settings
from digest.storage import newsletters
from digest.storage.engine import Database
from tests.builders import SITE
from tests.posting import Inbox, add_edition, add_readers, release_edition, rows_of

READERS = 240
CONNECTIONS = 3
LIMIT_SECONDS = 60.0
DESK = Actor(kind=ActorKind.CLI)


@dataclass(frozen=True, kw_only=True)
class Office:
    """An installation with an edition at the post, and its relay."""

    home: Path
    db: Database
    edition: Edition
    inbox: Inbox
    port: int

    def environ(self, home: Path | None = None) -> dict[str, str]:
        return {
            "DIGEST_HOME": str(home or self.home),
            "DIGEST_DATABASE__URL": self.db.url,
            "DIGEST_SMTP__HOST": "127.0.0.1",
            "DIGEST_SMTP__PORT": str(self.port),
            "DIGEST_SMTP__SECURITY": "none",
            "DIGEST_SMTP__CONNECTIONS": str(CONNECTIONS),
        }

    def reached(self, count: int) -> asyncio.Event:
        event = asyncio.Event()
        self.inbox.when(count, event.set)
        return event

    def assert_one_letter_each(self, *, killed: int = 0) -> None:
        """None is lost, none twice; in doubt are at most the open conversations."""
        rows = rows_of(self.db, self.edition)
        copies = Counter(self.inbox.recipients())
        in_doubt = {row.address for row in rows if row.state == "uncertain"}
        assert {row.state for row in rows} <= {"sent", "uncertain"}
        assert {row.address for row in rows} - set(copies) <= in_doubt
        assert len(in_doubt) <= killed * CONNECTIONS
        assert set(copies.values()) == {1}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def office(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Office]:
    async for found in open_office(request, tmp_path, request.param):
        yield found


@pytest.fixture
async def shared_office(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Office]:
    """On PostgreSQL only."""
    async for found in open_office(request, tmp_path, "postgres"):
        yield found


async def open_office(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> AsyncIterator[Office]:
    home, inbox = tmp_path / "home", Inbox()
    url = f"sqlite:///{home / 'digest.db'}"
    home.mkdir()
    if kind == "postgres":
        url = request.getfixturevalue("postgres_db").url
    environ = {"DIGEST_HOME": str(home), "DIGEST_DATABASE__URL": url}
    installing.initialise(load_settings(environ=environ), actor=DESK)
    db = Database(url)
    with db.read() as tx:
        newsletter = newsletters.get(tx, "weekly")
    add_readers(db, newsletter, READERS)
    edition = add_edition(db, newsletter)
    dispatch = bootstrap.make_dispatch(db, clock=bootstrap.utc_now)
    release_edition(db, edition, site=SITE, chunk_size=20, dispatch=dispatch)
    async with inbox.sink() as sink:
        yield Office(home=home, db=db, edition=edition, inbox=inbox, port=sink.port)
    db.close()


@asynccontextmanager
async def worker(
    office: Office, *options: str, home: Path | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "digest", "worker", *options),
        env=os.environ | office.environ(home),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def children(process: asyncio.subprocess.Process, count: int) -> list[int]:
    """Wait for the parent to name its children."""
    found: list[int] = []
    assert process.stderr is not None
    async with asyncio.timeout(LIMIT_SECONDS):
        while len(found) < count:
            line = await process.stderr.readline()
            assert line, "the parent ended"
            if line.startswith(b"{"):
                event = json.loads(line)
                if event["event"] == "worker.process_started":
                    found.append(event["pid"])
    return found


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


async def until(is_so: Callable[[], bool], *, seconds: float = LIMIT_SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 - other processes tell nobody
            await asyncio.sleep(0.02)


async def wait_for(event: asyncio.Event) -> None:
    await asyncio.wait_for(event.wait(), LIMIT_SECONDS)


async def finish(process: asyncio.subprocess.Process) -> int:
    await asyncio.wait_for(process.communicate(), LIMIT_SECONDS)
    assert process.returncode is not None
    return process.returncode


async def test_two_processes_share_an_edition(office: Office) -> None:
    async with worker(office, "--once", "--processes", "2") as parent:
        status = await finish(parent)

    assert status == 0
    office.assert_one_letter_each()


async def test_no_child_outlives_a_parent_that_was_killed(office: Office) -> None:
    reached = office.reached(20)
    async with worker(office, "--processes", "2") as parent:
        pids = await children(parent, 2)
        await wait_for(reached)

        parent.kill()

        await until(lambda: not any(is_alive(pid) for pid in pids), seconds=10)


async def test_a_child_that_was_killed_is_replaced_and_its_letters_taken_over(
    office: Office,
) -> None:
    reached = office.reached(60)
    async with worker(office, "--once", "--processes", "2") as parent:
        pids = await children(parent, 2)
        await wait_for(reached)

        os.kill(pids[0], signal.SIGKILL)

        assert len(await children(parent, 1)) == 1
        assert await finish(parent) == 0
    office.assert_one_letter_each(killed=1)


async def test_a_crew_that_is_asked_to_stop_leaves_nothing_in_doubt(
    office: Office,
) -> None:
    reached = office.reached(20)
    async with worker(office, "--processes", "2") as parent:
        await wait_for(reached)

        parent.terminate()

        assert await finish(parent) == 0
    states = Counter(row.state for row in rows_of(office.db, office.edition))
    assert set(states) <= {"sent", "queued"}
    assert states["sent"] == len(office.inbox.received)


@pytest.fixture
def other_home(shared_office: Office, tmp_path: Path) -> Path:
    """A second machine: another home, the same keys."""
    shutil.copytree(shared_office.home / "keys", tmp_path / "other" / "keys")
    for home in (shared_office.home, tmp_path / "other"):
        adopt(shared_office.db, home, join=True, actor=DESK, now=bootstrap.utc_now())
    return tmp_path / "other"


@pytest.mark.postgres
async def test_of_two_machines_one_dies_and_the_other_finishes(
    shared_office: Office, other_home: Path
) -> None:
    office, reached = shared_office, shared_office.reached(60)
    async with (
        worker(office) as first,
        worker(office, "--once", home=other_home) as second,
    ):
        await wait_for(reached)

        first.kill()

        assert await finish(second) == 0
    office.assert_one_letter_each(killed=1)


@pytest.mark.postgres
async def test_losing_every_wake_up_loses_no_letter(shared_office: Office) -> None:
    office, reached = shared_office, shared_office.reached(20)
    async with worker(office, "--once") as carrier:
        await wait_for(reached)

        with office.db.write() as tx:
            tx.execute(text("DELETE FROM procrastinate_jobs"))

        assert await finish(carrier) == 0
    office.assert_one_letter_each()


@pytest.mark.postgres
async def test_a_release_is_a_wake_up_for_each_chunk(shared_office: Office) -> None:
    with shared_office.db.read() as tx:
        found = tx.execute(text("SELECT args FROM procrastinate_jobs ORDER BY id"))
        args = list(found.scalars())

    edition_id = shared_office.edition.id
    assert isinstance(
        bootstrap.make_dispatch(shared_office.db, clock=bootstrap.utc_now), Queue
    )
    assert args == [{"edition_id": edition_id, "number": n} for n in range(12)]
