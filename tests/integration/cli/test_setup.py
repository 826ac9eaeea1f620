"""`init`, `config check`, `db upgrade`, as an operator types them."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from digest.bootstrap import open_service
from digest.cli.setup import warnings_of
from digest.settings import Settings, load_settings
from digest.storage import newsletters, schema
from digest.storage.engine import Database
from tests.conftest import Ran

Cli = Callable[..., Ran]
PAGE = """Skip to content

The River Ferry Runs Later From This Week

May 11, 2024

The public ferry will cross until midnight from this week on, the city said. Its last
boat used to leave at nine, when the evening's walkers were still on the other bank.

Tickets cost what they did. The crews asked for the new hours themselves, since the
boats were full at eight and empty at noon.
"""


def test_init_makes_everything_an_installation_needs(cli: Cli) -> None:
    ran = cli("init", "--json")

    assert ran.document["made"] == [
        "keys/token-1.key",
        "keys/address.key",
        "database",
        "newsletter weekly",
    ]
    service = open_service(load_settings())
    with service.db.read() as tx:
        assert newsletters.get(tx, "weekly").sender.address == (
            "weekly@news.example.test"
        )
    service.db.close()


def test_init_is_safe_to_repeat(cli: Cli) -> None:
    cli("init")

    ran = cli("init", "--json")

    assert (ran.status, ran.document["made"]) == (0, [])
    assert len(ran.document["kept"]) == 4


def test_init_tells_a_person_what_was_there(cli: Cli) -> None:
    cli("init")

    assert "kept   newsletter weekly" in cli("init").out


def test_init_repairs_a_half_made_state(cli: Cli, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "digest.db").touch()
    (home / "keys").mkdir(mode=0o755)

    ran = cli("init", "--json")

    assert (ran.status, len(ran.document["made"])) == (0, 4)
    assert (home / "keys").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("lost", [["address.key"], ["address.key", "token-1.key"]])
def test_init_completes_what_a_crash_left_between_schema_and_newsletter(
    lost: list[str], cli: Cli, tmp_path: Path
) -> None:
    cli("init")
    for name in lost:
        (tmp_path / "home" / "keys" / name).unlink()
    with closing(sqlite3.connect(tmp_path / "home" / "digest.db")) as connection:
        connection.execute("DELETE FROM sections")
        connection.execute("DELETE FROM newsletters")
        connection.commit()

    ran = cli("init", "--json")

    assert ran.status == 0
    assert {f"keys/{name}" for name in lost} <= set(ran.document["made"])
    assert "newsletter weekly" in ran.document["made"]


@pytest.mark.parametrize("command", [["init"], ["editions", "list"]])
def test_a_file_that_is_no_database_is_refused_in_one_line(
    command: list[str], cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "digest.db").write_bytes(b"\x01 not a database" * 99)

    ran = cli(*command)

    assert ran.status != 0
    assert len(ran.err.splitlines()) == 1
    assert "is not a SQLite database" in ran.err


def test_init_keeps_the_state_private(cli: Cli, tmp_path: Path) -> None:
    cli("init")

    home = tmp_path / "home"
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "digest.db").stat().st_mode & 0o777 == 0o600


def test_init_prefers_the_working_folders_newsletters(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "config" / "newsletters"
    folder.mkdir(parents=True)
    (folder / "cairo.toml").write_text(
        'name = "C"\npurpose = "P"\npostal_address = "A"\n'
        'time_zone = "Africa/Cairo"\n[[sections]]\nslug = "news"\ntitle = "News"\n'
    )

    assert "newsletter cairo" in cli("init", "--json").document["made"]


def test_a_wrong_newsletter_file_leaves_nothing_behind(
    cli: Cli, tmp_path: Path
) -> None:
    folder = tmp_path / "config" / "newsletters"
    folder.mkdir(parents=True)
    (folder / "weekly.toml").write_text('name = "C"\n')

    ran = cli("init")

    assert ran.status == 2
    assert ran.err.startswith("error: config/newsletters/weekly.toml: ")
    assert len(ran.err.splitlines()) == 1
    assert not (tmp_path / "home").exists()


def test_a_lost_key_is_not_replaced(cli: Cli, tmp_path: Path) -> None:
    cli("init")
    (tmp_path / "home" / "keys" / "token-1.key").unlink()

    ran = cli("init")

    assert ran.status == 1
    assert "Restore it from the backup" in ran.err


def test_an_unwritable_home_is_refused_with_its_mend(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DIGEST_HOME", str(tmp_path / "file" / "home"))

    ran = cli("init", "--json")

    assert ran.status == 1
    assert "cannot be written" in ran.document["error"]
    assert "DIGEST_HOME" in ran.document["mend"]


def test_init_works_on_postgresql(
    cli: Cli, postgres_db: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DIGEST_DATABASE__URL", postgres_db.url)

    first, second = cli("init", "--json"), cli("init", "--json")

    assert "newsletter weekly" in first.document["made"]
    assert second.document["made"] == []
    assert not (tmp_path / "home" / "digest.db").exists()


def test_an_edition_of_one_story_after_init_has_warnings_but_no_errors(
    cli: Cli, tmp_path: Path
) -> None:
    cli("init")
    (tmp_path / "story.txt").write_text(PAGE, encoding="utf-8")
    cli("articles", "import", "story.txt", "--url", "https://example.com/ferry")
    cli("editions", "compose", "--issue-date", "2024-05-12")

    ran = cli("editions", "check", "1", "--json")

    assert ran.document["errors"] == []
    assert {"placeholder-sender", "placeholder-address", "unsigned"} <= {
        finding["rule"] for finding in ran.document["warnings"]
    }


def test_config_check_masks_secrets(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_SMTP__USERNAME", "me")
    monkeypatch.setenv("DIGEST_SMTP__PASSWORD", "hunter2")
    monkeypatch.setenv("DIGEST_DATABASE__URL", "postgresql://me:hunter2@db/x")

    ran = cli("config", "check", "--json")

    assert ran.document["smtp"]["password"] == "***"
    assert ran.document["database"]["url"] == "***"
    assert "hunter2" not in ran.out + ran.err


def test_config_check_shows_where_things_are(cli: Cli, tmp_path: Path) -> None:
    ran = cli("config", "check", "--json")

    home = tmp_path / "home"
    assert ran.document["database"]["url"] == f"sqlite:///{home / 'digest.db'}"
    assert ran.document["dkim"]["private_key_file"] == str(
        home / "keys" / "dkim-digest.pem"
    )


def test_config_check_refuses_an_unknown_variable(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_SMTP__HOTS", "x")

    ran = cli("config", "check", "--json")

    assert ran.status == 2
    assert "DIGEST_SMTP__HOST?" in ran.document["mend"]


def test_db_upgrade_says_where_the_database_stands(cli: Cli) -> None:
    cli("init")

    assert cli("db", "upgrade", "--json").document == {"revision": schema.head()}


def test_db_copy_takes_a_database_over(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cli("init")
    monkeypatch.setenv("DIGEST_DATABASE__URL", f"sqlite:///{tmp_path / 'new.db'}")

    ran = cli("db", "copy", str(tmp_path / "home" / "digest.db"), "--json")

    assert ran.status == 0
    assert ran.document["rows"]["newsletters"] == 1


def test_db_copy_needs_a_database_to_copy_into(cli: Cli, tmp_path: Path) -> None:
    cli("init")

    ran = cli("db", "copy", str(tmp_path / "home" / "digest.db"))

    assert ran.status == 2
    assert "DIGEST_DATABASE__URL" in ran.err
    assert "digest init" not in ran.err


def test_db_copy_names_the_file_that_needs_an_upgrade(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cli("init")
    old = tmp_path / "home" / "digest.db"
    database = Database(f"sqlite:///{old}")
    schema.downgrade(database, "0001")
    database.close()
    (tmp_path / "url").write_text(f"sqlite:///{tmp_path / 'new.db'}\n")
    monkeypatch.setenv("DIGEST_DATABASE__URL_FILE", str(tmp_path / "url"))

    ran = cli("db", "copy", str(old))
    for word in ran.err.rpartition("Run: ")[2].split()[:2]:
        monkeypatch.setenv(*word.split("=", 1))
    upgraded = cli("db", "upgrade", "--json")

    assert (ran.status, upgraded.status) == (1, 0)
    database = Database(f"sqlite:///{old}")
    assert schema.is_current(database)
    database.close()
    assert not (tmp_path / "new.db").exists()


def test_db_copy_of_nothing_says_what_to_name(cli: Cli, tmp_path: Path) -> None:
    ran = cli("db", "copy", str(tmp_path / "missing.db"))

    assert ran.status == 1
    assert "HOME/digest.db" in ran.err
    assert not (tmp_path / "missing.db").exists()


def test_a_database_that_is_away_is_told_in_one_line(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_DATABASE__URL", "postgresql://nobody@127.0.0.1:1/x")

    ran = cli("editions", "list")

    assert ran.status == 1
    assert ran.err.startswith("error: The database refused: ")
    assert ran.err.endswith("Check DIGEST_DATABASE__URL and that the database runs.\n")
    assert ran.err.count("\n") == 1


def test_an_upgrade_of_nothing_says_how_to_begin(cli: Cli, tmp_path: Path) -> None:
    ran = cli("db", "upgrade")

    assert ran.status == 1
    assert len(ran.err.splitlines()) == 1
    assert "Run: digest init" in ran.err
    assert not (tmp_path / "home").exists()


def test_warns_of_what_would_hurt_real_readers() -> None:
    settings = Settings.model_validate(
        {"smtp": {"host": "relay.example.com", "security": "none"}}
    )

    found = " ".join(warnings_of(settings))

    assert "web.base_url" in found
    assert "mail.domain" in found
    assert "without encryption" in found


@pytest.mark.parametrize("tail", ["com", "net", "org"])
def test_warns_of_an_example_that_was_left_standing(tail: str) -> None:
    settings = Settings.model_validate(
        {
            "web": {"base_url": f"https://news.example.{tail}"},
            "mail": {"domain": f"news.example.{tail}"},
        }
    )

    assert len(warnings_of(settings)) == 2


def test_warns_of_nothing_where_all_is_well() -> None:
    settings = Settings.model_validate(
        {
            "web": {"base_url": "https://news.weekly-paper.eu"},
            "mail": {"domain": "news.weekly-paper.eu"},
        }
    )

    assert warnings_of(settings) == []
