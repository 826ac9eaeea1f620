"""The database handle: transactions that mean the same on SQLite and PostgreSQL."""

import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
)

from digest.domain.errors import DigestError, SettingsError
from digest.storage.turn import Turn

Tx = Connection
"""A connection inside a transaction; what entity modules are given."""

TROUBLE = (OperationalError, InterfaceError)
"""What a database raises that is away, locked or full; a bug raises something else."""

_BUSY_SECONDS = 30
_BEGIN = "digest_begin"
WRITE = {_BEGIN: "BEGIN IMMEDIATE"}
"""Options of a connection whose transactions take SQLite's write lock at once."""
# SQLite's driver opens no transaction by itself; psycopg's must be told.
_ALONE: Mapping[str, Mapping[str, Any]] = {
    "sqlite": {_BEGIN: None},
    "postgresql": {"isolation_level": "AUTOCOMMIT"},
}


def explain_trouble(error: OperationalError | InterfaceError) -> DigestError:
    """Say in one line why the database did not do its work."""
    reason = (str(error.orig).splitlines() or [""])[0]
    return DigestError(
        f"The database refused: {reason}.",
        "Check DIGEST_DATABASE__URL and that the database runs.",
    )


class Database:
    """One database, by URL.

    Attributes:
        url: As given, with any password; never log it.
        is_sqlite: Whether all writers share one lock.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _make_engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        file = self.engine.url.database if self.is_sqlite else None
        is_file = file not in {None, "", ":memory:"}
        self._turn = Turn(Path(f"{file}.lock") if is_file else None)

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """Open a transaction that commits when the block ends well.

        On SQLite it takes the write lock at once (BEGIN IMMEDIATE): a
        transaction that starts by reading and then writes would fail with
        "database is locked" whatever the busy timeout. Writers queue for it before,
        since SQLite itself only asks again after up to 100 ms.
        """
        with self.engine.connect() as connection:
            writer = connection.execution_options(**WRITE)
            with self._turn.taken(), writer.begin():
                yield writer

    def writer(self) -> "Writer":
        """Return what writes all the time, over a connection it keeps."""
        return Writer(self.engine, self._turn)

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """Open a transaction for reading: one consistent view, rolled back."""
        with self.engine.connect() as connection:
            yield connection

    def free_octets(self) -> int | None:
        """Return the room on the disk that holds it; None: another server's matter."""
        file = self.engine.url.database
        if not self.is_sqlite or file in {None, "", ":memory:"}:
            return None
        return shutil.disk_usage(Path(str(file)).parent).free

    @property
    def libpq_url(self) -> str:
        """The address of a PostgreSQL database as libpq takes it, with any password."""
        plain = self.engine.url.set(drivername="postgresql")
        return plain.render_as_string(hide_password=False)

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()
        self._turn.close()


class Writer:
    """One thread's transactions over connections it keeps; see `Database.write`."""

    def __init__(self, engine: Engine, turn: Turn) -> None:
        self._engine = engine
        self._turn = turn
        self._connection: Connection | None = None
        self._alone: Connection | None = None

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """Open a transaction that commits when the block ends well.

        After any failure the next one is opened over a new connection.
        """
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(**WRITE)
        try:
            with self._turn.taken(), self._connection.begin():
                yield self._connection
        except BaseException:
            self.close()
            raise

    @contextmanager
    def write_alone(self) -> Iterator[Tx]:
        """Open a connection on which one statement is a transaction of its own.

        It spares the calls that begin and commit. After any failure nobody knows
        whether it was committed, and a new connection is opened the next time.
        """
        if self._alone is None:
            options = _ALONE[self._engine.dialect.name]
            self._alone = self._engine.connect().execution_options(**options)
        try:
            with self._turn.taken():
                yield self._alone
            # Nothing for the database: SQLAlchemy counts it as a transaction.
            self._alone.commit()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the connections go."""
        kept, self._connection, self._alone = (
            (self._connection, self._alone),
            None,
            None,
        )
        for connection in kept:
            if connection is not None:
                connection.close()


def driver_connection(tx: Tx) -> Any:
    """Return the driver's own connection beneath a transaction."""
    return tx.connection.driver_connection


def _make_engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
            raise SettingsError(
                f"The database kind {parsed.drivername!r} is not supported.",
                "Use sqlite:///PATH or postgresql://USER@HOST/NAME.",
            )
        engine = create_engine(
            parsed,
            pool_pre_ping=parsed.host is not None,
            hide_parameters=True,  # a log of an error holds nobody's address
        )
    except (ArgumentError, NoSuchModuleError) as error:
        raise SettingsError(
            "The database URL cannot be read.",
            "Set DIGEST_DATABASE__URL to sqlite:///PATH or postgresql://….",
        ) from error
    except ModuleNotFoundError as error:
        raise SettingsError(
            "PostgreSQL needs the psycopg package.",
            "In the checkout: pip install --require-hashes "
            "-r requirements/postgres.txt",
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(dbapi_connection: Any, _record: Any) -> None:
    # The driver would otherwise open transactions by itself, and late.
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # a commit that was answered survives power loss
        "foreign_keys=ON",
        "recursive_triggers=ON",  # else INSERT OR REPLACE deletes without a trigger
        "secure_delete=ON",  # what was erased is overwritten in the file, too
        f"busy_timeout={_BUSY_SECONDS * 1000}",
    ):
        try:
            cursor.execute(f"PRAGMA {pragma}")
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            raise SettingsError(
                f"The database file is not a SQLite database: {error}.",
                "Restore it from the backup, or check DIGEST_HOME.",
            ) from None
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get(_BEGIN, "BEGIN")
    if begin is not None:
        connection.exec_driver_sql(begin)
