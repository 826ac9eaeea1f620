"""A database of its own beside the one that is named, for what must not touch it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import make_url
from sqlalchemy.exc import ProgrammingError

from digest.domain.errors import StateError
from digest.storage.engine import Database


@contextmanager
def scratch_database(url: str) -> Iterator[str]:
    """Make an empty database on a PostgreSQL server; it is dropped afterwards.

    Args:
        url: Any database on that server; nothing in it is read or changed.

    Yields:
        The URL of the new one.

    Raises:
        StateError: The account may not create databases.
    """
    server = Database(url)
    name = f"digest_scratch_{secrets.token_hex(6)}"
    try:
        _run(server, f"CREATE DATABASE {name}")
    except ProgrammingError as error:
        server.close()
        raise StateError(
            f"A scratch database cannot be made: {error.orig}.",
            "Let the account create databases: ALTER ROLE … CREATEDB",
        ) from None
    try:
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        _run(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.close()


def _run(server: Database, statement: str) -> None:
    # Databases are not made or dropped inside a transaction.
    options = {"isolation_level": "AUTOCOMMIT"}
    with server.engine.connect().execution_options(**options) as connection:
        connection.exec_driver_sql(statement)
