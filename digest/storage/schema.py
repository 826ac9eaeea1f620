"""Bring a database to the schema this version knows, and say where it stands."""

import importlib
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from digest.domain.errors import StateError
from digest.storage.engine import TROUBLE, Database

_HERE = Path(__file__).parent / "migrations"


def upgrade(db: Database, revision: str = "head") -> None:
    """Apply every missing migration, all of them or none.

    Raises:
        StateError: The database was written by a newer version.
    """
    with db.write() as tx:
        _refuse_newer(tx)
        _alembic("command").upgrade(_config(tx), revision)


def downgrade(db: Database, revision: str) -> None:
    """Undo migrations down to `revision` (`base`: to an empty database)."""
    with db.write() as tx:
        _alembic("command").downgrade(_config(tx), revision)


def current(db: Database) -> str | None:
    """Return the database's revision; None where it has no schema yet."""
    with db.read() as tx:
        return _revision(tx)


def head() -> str:
    """Return the revision this version needs."""
    return max(_revisions())


def require_current(db: Database) -> None:
    """Refuse to work on a schema this version does not know.

    Raises:
        StateError: The database is missing, older or newer.
    """
    found, needed = current(db), head()
    if found == needed:
        return
    if found is None:
        raise StateError("The database has no tables yet.", "Run: digest init")
    with db.read() as tx:
        _refuse_newer(tx)
    raise StateError(
        f"The database is at schema {found}, this version needs {needed}.",
        "Run: digest db upgrade",
    )


def require_writable(db: Database) -> None:
    """Try to write, and take it back.

    Raises:
        StateError: The database only lets itself be read, or is away.
    """
    try:
        with db.write() as tx, tx.begin_nested() as trial:
            tx.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")
            trial.rollback()
    except TROUBLE as error:
        raise StateError(
            f"The database cannot be written: {error.orig}.",
            "Check its owner, its disk and that no other process holds it.",
        ) from None


def is_current(db: Database) -> bool:
    """Tell whether the database answers and has this version's schema."""
    try:
        require_current(db)
    except (StateError, SQLAlchemyError):
        return False
    return True


def _refuse_newer(tx: Connection) -> None:
    found = _revision(tx)
    if found is not None and found not in _revisions():
        raise StateError(
            f"The database is at schema {found}, which this version does not know.",
            "Install the newer version that wrote it.",
        )


def _revision(tx: Connection) -> str | None:
    if not inspect(tx).has_table("alembic_version"):
        return None
    found = tx.execute(text("SELECT version_num FROM alembic_version"))
    return found.scalar_one_or_none()


def _revisions() -> set[str]:
    """The revisions this version knows: the first part of each file's name."""
    return {path.stem.partition("_")[0] for path in _HERE.glob("versions/[0-9]*.py")}


def _config(connection: Connection) -> Any:
    config = _alembic("config").Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _alembic(part: str) -> Any:
    # Loaded by migrations alone: every other command would pay for it at its start.
    return importlib.import_module(f"alembic.{part}")
