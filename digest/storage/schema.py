"""Bring a database to the schema this version knows, and say where it stands."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
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
        command.upgrade(_config(tx), revision)


def downgrade(db: Database, revision: str) -> None:
    """Undo migrations down to `revision` (`base`: to an empty database)."""
    with db.write() as tx:
        command.downgrade(_config(tx), revision)


def current(db: Database) -> str | None:
    """Return the database's revision; None where it has no schema yet."""
    with db.read() as tx:
        return MigrationContext.configure(tx).get_current_revision()


def head() -> str:
    """Return the revision this version needs."""
    found = _scripts().get_current_head()
    assert found is not None
    return found


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
    found = MigrationContext.configure(tx).get_current_revision()
    known = {script.revision for script in _scripts().walk_revisions()}
    if found is not None and found not in known:
        raise StateError(
            f"The database is at schema {found}, which this version does not know.",
            "Install the newer version that wrote it.",
        )


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
