"""One leader among many processes: a lock that dies with its holder."""

import fcntl
import os
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from digest.storage.engine import Database

# "digest" in ASCII: advisory locks are numbers shared by the whole database.
_LOCK = 0x646967657374


class Leadership:
    """The right to lead, held by at most one process.

    PostgreSQL: a session-level advisory lock on a connection of its own, so that a
    lost connection gives the right away. SQLite: a lock on a file beside it.

    Args:
        db: The database that the processes share.
        lock_file: For SQLite; on one machine with the database.
    """

    def __init__(self, db: Database, lock_file: Path) -> None:
        self._db = db
        self._lock_file = lock_file
        self._connection: Connection | None = None
        self._handle: int | None = None

    def hold(self) -> bool:
        """Take the right if it is free, and say whether it is ours."""
        return self._hold_file() if self._db.is_sqlite else self._hold_connection()

    def release(self) -> None:
        """Give the right back."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        if self._connection is not None:
            # Closed for good: back in the pool it would keep the lock.
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _hold_file(self) -> bool:
        if self._handle is not None:
            return True
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        handle = os.open(self._lock_file, flags, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def _hold_connection(self) -> bool:
        if self._connection is not None and self._is_alive():
            return True
        self.release()
        connection = self._db.engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        )
        query = text("SELECT pg_try_advisory_lock(:lock)")
        try:
            is_ours = bool(connection.execute(query, {"lock": _LOCK}).scalar_one())
        except DBAPIError:
            connection.close()
            raise
        if is_ours:
            self._connection = connection
        else:
            connection.close()
        return is_ours

    def _is_alive(self) -> bool:
        assert self._connection is not None
        try:
            self._connection.execute(text("SELECT 1"))
        except DBAPIError:
            return False
        return True
