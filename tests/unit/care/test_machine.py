"""What the doctor looks at on this machine."""

from pathlib import Path

import pytest

from digest.care.checks import Check, attempt
from digest.care.keys import create_keys
from digest.care.machine import check_machine, check_zones
from digest.storage.engine import Database
from digest.templating import Templates
from tests.builders import make_newsletter


def examine(
    home: Path, db: Database | None, root: Path | None = None
) -> dict[str, Check]:
    checks = check_machine(
        home=home, keys=home / "keys", db=db, templates=Templates(root)
    )
    return {check.check: check for check in checks}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "state"
    path.mkdir(mode=0o700)
    (path / "keys").mkdir(mode=0o700)
    create_keys(path / "keys", in_use=False)
    return path


def test_finds_nothing_wrong_with_a_fresh_installation(
    home: Path, db: Database
) -> None:
    found = examine(home, db)

    assert {name: check.ok for name, check in found.items()} == {
        "home": True,
        "keys": True,
        "database": True,
        "copy": True,
        "disk": True,
        "templates": True,
    }


def test_a_damaged_key_fails(home: Path, sqlite_db: Database) -> None:
    (home / "keys" / "token-1.key").write_text("")

    assert "damaged" in examine(home, sqlite_db)["keys"].detail


def test_a_database_that_is_away_fails(home: Path) -> None:
    db = Database("postgresql://nobody@127.0.0.1:1/x")

    check = examine(home, db)["database"]

    assert check.ok is False
    assert "\n" not in check.detail
    assert "DIGEST_DATABASE__URL" in check.mend


def test_a_database_that_cannot_be_written_fails(
    home: Path, sqlite_template: Path
) -> None:
    db = Database(f"sqlite:///file:{sqlite_template}?mode=ro&uri=true")

    check = examine(home, db)["database"]

    db.close()
    assert check.ok is False
    assert "cannot be written" in check.detail


def test_a_broken_template_is_named(
    home: Path, sqlite_db: Database, tmp_path: Path
) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "page.html").write_text("{% if %}")

    check = examine(home, sqlite_db, root=tmp_path)["templates"]

    assert check.detail.startswith("web/page.html: ")


def test_an_unknown_time_zone_fails() -> None:
    (check,) = check_zones([make_newsletter(time_zone="Africa/Atlantis")])

    assert check.ok is False
    assert "Africa/Atlantis" in check.detail


def test_knows_that_cairo_has_summer_time_again() -> None:
    (check,) = check_zones([make_newsletter()])

    assert check.ok


def test_a_file_that_cannot_be_read_is_a_result() -> None:
    def look() -> Check:
        raise PermissionError(13, "Permission denied", "/some/file")

    check = attempt("file", look)

    assert (check.ok, check.detail) == (False, "/some/file: Permission denied.")
