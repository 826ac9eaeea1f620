"""A restored or copied database sends nothing until an operator says so."""

import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from digest.care.installation import Guard, adopt, advance, examine, read_place
from digest.domain.actor import WORKER, Actor, ActorKind
from digest.domain.errors import StateError
from digest.domain.homes import Standing
from digest.domain.states import EditionState
from digest.storage import editions, homes, tables
from digest.storage.engine import Database
from tests.builders import NOW, SITE, add_newsletter
from tests.posting import add_edition, add_readers, release_edition

MONA = Actor(kind=ActorKind.OPERATOR, name="mona")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose first step made it known."""
    made = tmp_path / "home"
    made.mkdir()
    return made


def step(db: Database, home: Path) -> Standing:
    return advance(db, home, actor=WORKER, now=NOW)


def marks(db: Database) -> list[int]:
    with db.read() as tx:
        return [known.mark for known in homes.list_all(tx)]


def rewind(db: Database, mark: int) -> None:
    """Leave the database as a backup of then has it."""
    with db.write() as tx:
        tx.execute(update(tables.homes).values(mark=mark))


def make_guard(db: Database, home: Path, clock: list[float]) -> Guard:
    return Guard(db, home, actor=WORKER, clock=lambda: NOW, monotonic=lambda: clock[0])


def test_a_new_home_and_a_new_database_belong_together(
    db: Database, home: Path
) -> None:
    first, second = step(db, home), step(db, home)

    assert {first, second} == {Standing.KNOWN}
    assert marks(db) == [2]
    assert read_place(home).mark == 2


def test_its_files_are_private(db: Database, home: Path) -> None:
    step(db, home)

    modes = {path.name: path.stat().st_mode & 0o777 for path in home.iterdir()}

    assert modes == {
        "installation": 0o600,
        "installation.lock": 0o600,
        "installation.mark": 0o600,
    }


def test_a_backup_of_the_database_is_behind(db: Database, home: Path) -> None:
    for _ in range(5):
        step(db, home)

    rewind(db, 3)

    assert step(db, home) is Standing.BEHIND
    assert examine(db, home) is Standing.BEHIND
    assert marks(db) == [3]


def test_a_copy_of_the_home_is_another_place(db: Database, home: Path) -> None:
    step(db, home)

    copy = shutil.copytree(home, home.with_name("copy"))

    assert step(db, copy) is Standing.COPIED
    assert step(db, home) is Standing.KNOWN


def test_a_home_that_was_renamed_is_no_copy(db: Database, home: Path) -> None:
    step(db, home)

    moved = home.rename(home.with_name("moved"))

    assert step(db, moved) is Standing.KNOWN


def test_a_home_on_another_machine_is_strange(db: Database, home: Path) -> None:
    step(db, home)
    other = home.with_name("other")
    other.mkdir()

    assert step(db, other) is Standing.STRANGE
    assert not (other / "installation").exists()


def test_a_lost_or_damaged_mark_stops_nothing(db: Database, home: Path) -> None:
    step(db, home)
    (home / "installation.mark").write_text("?")

    assert step(db, home) is Standing.KNOWN


def test_one_home_remembers_the_farther_of_two_processes(
    db: Database, home: Path
) -> None:
    step(db, home)
    (home / "installation.mark").write_text("1\n")

    step(db, home)

    assert read_place(home).mark == marks(db)[0] == 2


def test_adopting_lets_a_copy_send(db: Database, home: Path) -> None:
    step(db, home)
    copy = shutil.copytree(home, home.with_name("copy"))

    done = adopt(db, copy, join=True, actor=MONA, now=NOW)

    assert done.was is Standing.COPIED
    assert (step(db, copy), step(db, home)) == (Standing.KNOWN, Standing.KNOWN)


def test_adopting_takes_an_older_database_as_it_is(db: Database, home: Path) -> None:
    for _ in range(5):
        step(db, home)
    rewind(db, 3)

    adopt(db, home, join=False, actor=MONA, now=NOW)

    assert step(db, home) is Standing.KNOWN
    assert marks(db) == [6]


def test_adopting_what_belongs_together_changes_nothing(
    db: Database, home: Path
) -> None:
    step(db, home)

    done = adopt(db, home, join=False, actor=MONA, now=NOW)

    assert done.was is Standing.KNOWN
    assert marks(db) == [1]


def test_adopting_a_copy_holds_what_would_go_by_itself(
    db: Database, home: Path
) -> None:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 1)
    edition = add_edition(db, newsletter)
    release_edition(db, edition, site=SITE)
    step(db, home)
    rewind(db, -1)

    done = adopt(db, home, join=False, actor=MONA, now=NOW)

    with db.read() as tx:
        held = editions.get(tx, edition.id)
        actors = tx.execute(
            select(tables.audit.c.actor).where(
                tables.audit.c.action == "installation.adopted"
            )
        )
        assert list(actors.scalars()) == ["operator:mona"]
    assert held.state is EditionState.PAUSED
    assert done.paused == [edition.id]
    assert "restored" in (held.pause_reason or "")


def test_a_machine_that_joins_stops_nothing(db: Database, home: Path) -> None:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 1)
    edition = add_edition(db, newsletter)
    release_edition(db, edition, site=SITE)
    step(db, home)
    other = home.with_name("other")
    other.mkdir()

    done = adopt(db, other, join=True, actor=MONA, now=NOW)

    with db.read() as tx:
        assert editions.get(tx, edition.id).state is EditionState.SENDING
    assert done.was is Standing.STRANGE


def test_the_guard_looks_again_when_letters_wait(db: Database, home: Path) -> None:
    clock = [0.0]
    guard = make_guard(db, home, clock)
    assert guard.allows(busy=True)
    rewind(db, -1)
    clock[0] = 4.0
    soon = guard.allows(busy=True)

    clock[0] = 5.0
    idle = guard.allows(busy=False)

    assert (soon, idle, guard.allows(busy=True)) == (True, True, False)


def test_the_guard_lets_go_once_somebody_adopted(db: Database, home: Path) -> None:
    clock = [0.0]
    guard = make_guard(db, home, clock)
    guard.require()
    rewind(db, -1)
    with pytest.raises(StateError, match="digest adopt"):
        guard.require()

    adopt(db, home, join=False, actor=MONA, now=NOW + timedelta(hours=1))
    clock[0] = 60.0

    assert guard.allows()


def test_a_home_that_was_restored_from_an_archive_is_a_copy(
    db: Database, home: Path
) -> None:
    step(db, home)
    archive = shutil.make_archive(str(home), "tar", home)
    kept = os.open(home / "installation", os.O_RDONLY)  # its number is not used again
    shutil.rmtree(home)

    shutil.unpack_archive(archive, home, filter="data")

    assert step(db, home) is Standing.COPIED
    os.close(kept)
