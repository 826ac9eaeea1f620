"""Export the list as CSV that no spreadsheet runs and our own import takes back."""

import csv
import os
import tempfile
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import TextIO

from digest.domain.spreadsheet import guard
from digest.storage.engine import Database
from digest.storage.subscriber_export import Listed, list_all

COLUMNS = tuple(field.name for field in fields(Listed))


def write_list(db: Database, out: TextIO) -> int:
    """Write every reader's subscriptions and the suppressed addresses.

    Args:
        db: The database.
        out: Opened with `newline=""`; lines end in CR LF (RFC 4180 §2).

    Returns:
        Rows written, without the header.
    """
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    count = 0
    with db.read() as tx:
        for listed in list_all(tx):
            writer.writerow([_spell(getattr(listed, name)) for name in COLUMNS])
            count += 1
    return count


def export_file(db: Database, path: Path) -> int:
    """Write the list to a file that only its owner reads: all of it or nothing.

    Returns:
        Rows written.

    Raises:
        OSError: The folder cannot be written to.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            count = write_list(db, out)
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise
    return count


def _spell(value: str | datetime | None) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else guard(value)
