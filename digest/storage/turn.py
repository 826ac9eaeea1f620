"""Whose turn it is to write a SQLite file: a queue in front of SQLite's own lock.

SQLite does not wake who waits for its write lock; they ask again after pauses of up
to 100 ms. Two processes that commit all the time would spend most of it asleep. The
kernel wakes the next in line, and lets go when the holder dies.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Turn:
    """One queue for all writers of one file, in every process of this machine.

    Args:
        path: A file of its own that is locked; None: nobody queues.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._threads = threading.Lock()
        self._file: int | None = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for the turn and keep it until the block ends."""
        if self._path is None:
            yield
            return
        with self._threads:
            file = self._open(self._path)
            if file is None:
                yield
                return
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file; the next turn opens it again."""
        with self._threads:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _open(self, path: Path) -> int | None:
        if self._file is None:
            try:
                self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError:
                # Where no file can be made, SQLite's own lock decides alone.
                return None
        return self._file
