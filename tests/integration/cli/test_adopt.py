"""`adopt`: a restored database waits for somebody who says so."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ran

Cli = Callable[..., Ran]


@pytest.fixture
def restored(cli: Cli, tmp_path: Path) -> Path:
    """A home whose database was put back to an earlier state."""
    file = tmp_path / "home" / "digest.db"
    cli("init")
    cli("worker", "--once")
    backup = shutil.copy(file, tmp_path / "backup.db")
    assert cli("worker", "--once").status == 0
    for log in file.parent.glob("digest.db-*"):
        log.unlink()
    shutil.copy(backup, file)
    return file


def test_a_restored_database_sends_nothing(cli: Cli, restored: Path) -> None:
    done = cli("worker", "--once")

    assert done.status == 1
    assert "older than what was sent" in done.err
    assert "digest adopt" in done.err


def test_the_doctor_names_it(cli: Cli, restored: Path) -> None:
    items = cli("doctor", "--offline", "--json").document["items"]

    (found,) = [item for item in items if item["check"] == "copy"]
    assert found["ok"] is False
    assert "digest adopt" in found["mend"]


def test_it_sends_once_somebody_adopted_it(cli: Cli, restored: Path) -> None:
    adopted = cli("adopt", "--json").document

    assert adopted == {"was": "behind", "paused": [], "unscheduled": [], "held": []}
    assert cli("worker", "--once").status == 0


def test_adopting_what_is_no_copy_says_so(cli: Cli) -> None:
    cli("init")
    cli("worker", "--once")

    assert "already" in cli("adopt").out
