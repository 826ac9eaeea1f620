"""kill -9 in the middle of a send: nobody is lost, and those in doubt are named."""

import asyncio
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from digest.bootstrap import installing
from digest.domain.actor import Actor, ActorKind
from digest.domain.editions import Edition
from digest.settings import DatabaseSettings, Settings
from digest.storage import newsletters
from digest.storage.engine import Database
from tests.builders import SITE
from tests.posting import Inbox, add_edition, add_readers, release_edition, rows_of

READERS = 400
CONNECTIONS = 4
DESK = Actor(kind=ActorKind.CLI)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def prepare(home: Path) -> tuple[Database, Edition]:
    """An installation with an edition at the post."""
    settings = Settings(home=home, database=DatabaseSettings())
    installing.initialise(settings, actor=DESK)
    db = Database(settings.database_url)
    with db.read() as tx:
        newsletter = newsletters.get(tx, "weekly")
    add_readers(db, newsletter, READERS)
    edition = add_edition(db, newsletter)
    release_edition(db, edition, site=SITE, chunk_size=100)
    return db, edition


async def start_worker(
    home: Path, port: int, uncertain: str = "hold", *options: str
) -> asyncio.subprocess.Process:
    settings = {
        "DIGEST_HOME": str(home),
        "DIGEST_SMTP__HOST": "127.0.0.1",
        "DIGEST_SMTP__PORT": str(port),
        "DIGEST_SMTP__SECURITY": "none",
        "DIGEST_SMTP__CONNECTIONS": str(CONNECTIONS),
        "DIGEST_SEND__UNCERTAIN": uncertain,
    }
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "digest", "worker", *options),
        env=os.environ | settings,
        # A group of its own, so that all of it can be killed.
        start_new_session=True,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def send_with_a_kill(home: Path, inbox: Inbox, uncertain: str) -> None:
    """Kill the worker after some letters, and start another one."""
    reached = asyncio.Event()
    inbox.when(150, reached.set)
    async with inbox.sink() as sink:
        first = await start_worker(home, sink.port, uncertain, "--once")
        await reached.wait()
        os.killpg(first.pid, signal.SIGKILL)
        await first.wait()
        second = await start_worker(home, sink.port, uncertain, "--once")
        assert await second.wait() == 0


async def test_held_nobody_is_lost_or_gets_two(home: Path) -> None:
    db, edition = prepare(home)
    inbox = Inbox()

    await send_with_a_kill(home, inbox, "hold")

    rows = rows_of(db, edition)
    in_doubt = {row.address for row in rows if row.state == "uncertain"}
    copies = Counter(inbox.recipients())
    db.close()
    assert {row.state for row in rows} <= {"sent", "uncertain"}
    assert len(in_doubt) <= CONNECTIONS
    assert {row.address for row in rows} - set(copies) <= in_doubt
    assert set(copies.values()) == {1}


async def test_resent_every_reader_gets_it_and_copies_are_the_same(home: Path) -> None:
    db, edition = prepare(home)
    inbox = Inbox()

    await send_with_a_kill(home, inbox, "resend")

    rows = rows_of(db, edition)
    letters = {(r, m.message) for m in inbox.received for r in m.recipients}
    db.close()
    assert {row.state for row in rows} == {"sent"}
    assert {r for r, _ in letters} == {row.address for row in rows}
    assert len(inbox.received) - READERS <= CONNECTIONS
    assert len(letters) == READERS


async def test_a_worker_that_is_asked_to_stop_leaves_nothing_in_doubt(
    home: Path,
) -> None:
    db, edition = prepare(home)
    inbox, reached = Inbox(), asyncio.Event()
    inbox.when(30, reached.set)

    async with inbox.sink() as sink:
        worker = await start_worker(home, sink.port)
        await reached.wait()
        worker.terminate()
        status = await worker.wait()

    states = Counter(row.state for row in rows_of(db, edition))
    db.close()
    assert status == 0
    assert set(states) == {"sent", "queued"}
    assert states["sent"] == len(inbox.received)
