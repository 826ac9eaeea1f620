"""A restored copy with an issue due: nothing goes until an operator says so."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from digest.bootstrap import Service
from digest.care.installation import Guard, adopt
from digest.compose.approve import approve
from digest.domain.actor import WORKER
from digest.domain.errors import StateError
from digest.domain.homes import Standing
from digest.schedule.runner import Runner
from digest.storage.engine import Database
from digest.storage.leader import Leadership
from tests.builders import NOW
from tests.integration.schedule.newsroom import DESK, DUE, HOUR, SUNDAY, Newsroom

LONG = timedelta(hours=1)
WEEK = timedelta(days=7)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir(exist_ok=True)
    return made


def live(room: Newsroom, home: Path, *moments: datetime) -> None:
    """One process after the other, each at one moment."""
    for moment in moments:
        asyncio.run(_turn(at(room, home, moment)))


def at(room: Newsroom, home: Path, now: datetime) -> Service:
    guard = Guard(room.db, home, actor=WORKER, clock=lambda: now)
    return replace(room.service, clock=lambda: now, guard=guard)


async def _turn(service: Service) -> None:
    lock = Leadership(service.db, service.settings.home / "schedule.lock")
    runner = Runner(service, lock, heartbeat=LONG, patience=LONG)
    runner.start()
    for _ in range(2):
        await runner.turn()
        await runner.prepared()
    await runner.close()


def copy_of(room: Newsroom, path: Path) -> Path:
    """Copy a database file as a backup does."""
    room.db.close()
    assert room.db.engine.url.database is not None
    return Path(shutil.copy(room.db.engine.url.database, path))


@pytest.fixture
def restored(room: Newsroom, home: Path, tmp_path: Path) -> Iterator[Newsroom]:
    """A newsroom whose issue went out, and whose database is one from before."""
    room.set()
    live(room, home, NOW)
    backup = copy_of(room, tmp_path / "backup.db")
    live(room, home, DUE)
    assert room.states() == ["sending"]
    db = Database(f"sqlite:///{backup}")
    old = Newsroom.__new__(Newsroom)
    old.service, old.db = replace(room.service, db=db), db
    old.newsletter = room.newsletter
    yield old
    db.close()


def test_a_backup_does_not_send_the_issue_again(restored: Newsroom, home: Path) -> None:
    live(restored, home, DUE + HOUR, DUE + 2 * HOUR)

    assert restored.states() == []


def test_nor_does_a_release_by_hand(restored: Newsroom, home: Path) -> None:
    service = at(restored, home, DUE + HOUR)

    with pytest.raises(StateError, match="older than what was sent"):
        service.release(1, actor=DESK)


def test_once_adopted_it_leaves_what_was_due_alone_and_goes_on(
    restored: Newsroom, home: Path
) -> None:
    done = adopt(restored.db, home, join=False, actor=DESK, now=DUE + HOUR)
    live(restored, home, DUE + HOUR)
    this_week = restored.states()
    restored.add_story(SUNDAY + WEEK)

    live(restored, home, DUE + WEEK)

    assert done.was is Standing.BEHIND
    assert (this_week, restored.states()) == ([], ["sending"])


@pytest.fixture
def drafted(room: Newsroom, home: Path, tmp_path: Path) -> Iterator[Newsroom]:
    """A database from when the issue was a draft; it was sent ahead of its hour."""
    room.set()
    live(room, home, DUE - HOUR)
    backup = copy_of(room, tmp_path / "backup.db")
    live(room, home, DUE)
    db = Database(f"sqlite:///{backup}")
    old = Newsroom.__new__(Newsroom)
    old.service, old.db = replace(room.service, db=db), db
    old.newsletter = room.newsletter
    yield old
    db.close()


def test_once_adopted_what_may_have_gone_ahead_of_its_hour_waits_for_a_person(
    drafted: Newsroom, home: Path
) -> None:
    done = adopt(drafted.db, home, join=False, actor=DESK, now=DUE - HOUR / 2)
    live(drafted, home, DUE)

    (edition,) = drafted.editions()
    assert (done.held, drafted.states()) == ([edition.id], ["draft"])
    assert edition.held_because == "The database was restored, or is a copy."


def test_an_approval_of_before_does_not_let_it_go_either(
    drafted: Newsroom, home: Path
) -> None:
    (edition,) = drafted.editions()
    service = drafted.service
    approve(
        drafted.db,
        edition_id=edition.id,
        because="read it",
        templates=service.templates,
        site=service.site,
        posting=service.posting(),
        actor=DESK,
        now=DUE - HOUR,
    )

    adopt(drafted.db, home, join=False, actor=DESK, now=DUE - HOUR / 2)
    live(drafted, home, DUE)

    (edition,) = drafted.editions()
    assert (drafted.states(), edition.approved_by) == (["draft"], None)


def test_a_copy_on_another_machine_sends_nothing(
    room: Newsroom, home: Path, tmp_path: Path
) -> None:
    room.set()
    live(room, home, NOW)
    elsewhere = shutil.copytree(home, tmp_path / "elsewhere")

    live(room, elsewhere, DUE)
    copied = room.states()
    live(room, home, DUE)

    assert (copied, room.states()) == ([], ["sending"])
