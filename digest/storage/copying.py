"""Copy a whole database into an empty one, of the other kind or the same."""

from collections.abc import Callable
from pathlib import Path
from shlex import quote

from sqlalchemy import Connection, Table, func, insert, select, text

from digest.domain.errors import StateError
from digest.storage import schema
from digest.storage.engine import Database
from digest.storage.tables import metadata, pictures

_ROWS_AT_ONCE = 2000
_FILES_AT_ONCE = 20
_NEW = "Copy into a new one, before `digest init`."


def copy(
    source: Database, target: Database, *, tell: Callable[[str, int], None]
) -> dict[str, int]:
    """Copy every row with its id, in one transaction, so that old links still lead.

    Args:
        source: At this version's schema; nobody should be writing to it.
        target: Made by this; empty.
        tell: Called with a table's name and how many rows of it are copied so far.

    Returns:
        How many rows of each table.

    Raises:
        StateError: Both are one database, the source has another version's schema or
            none, or the target is in use.
    """
    _require_two(source, target)
    _require_source(source)
    _require_unused(target)
    schema.upgrade(target)
    with source.read() as old, target.write() as new:
        _require_empty(new)
        counts = {}
        for table in metadata.sorted_tables:
            counts[table.name] = _copy_table(old, new, table, tell)
            if "id" in table.c and not target.is_sqlite:
                _go_on_counting(new, table)
        return counts


def _require_two(source: Database, target: Database) -> None:
    if _name_of(source) == _name_of(target):
        raise StateError(
            f"{_name_of(source)} would be copied onto itself.",
            "Set DIGEST_DATABASE__URL to the new database.",
        )


def _require_source(source: Database) -> None:
    name, found, needed = _name_of(source), schema.current(source), schema.head()
    if found is None:
        raise StateError(f"{name} holds no tables.", "Name the old HOME/digest.db.")
    if found < needed:
        # Not `digest db upgrade` alone: that one would upgrade the target.
        raise StateError(
            f"{name} is at schema {found}, this version copies {needed}.",
            "Run: DIGEST_DATABASE__URL_FILE= DIGEST_DATABASE__URL="
            f"{quote(source.engine.url.render_as_string())} digest db upgrade",
        )
    if found > needed:
        raise StateError(
            f"{name} is at schema {found}, which this version does not know.",
            "Install the newer version that wrote it.",
        )


def _require_unused(target: Database) -> None:
    """Leave the tables of a database that another version works with as they are."""
    found = schema.current(target)
    if found not in {None, schema.head()}:
        raise StateError(
            f"The database to copy into is in use already, at schema {found}.", _NEW
        )


def _require_empty(tx: Connection) -> None:
    for table in metadata.sorted_tables:
        if tx.execute(select(table).limit(1)).first() is not None:
            raise StateError(
                f"The database to copy into has {table.name} already.", _NEW
            )


def _name_of(db: Database) -> str:
    """The file, or the address without its password."""
    url = db.engine.url
    return str(Path(url.database or "").resolve()) if db.is_sqlite else str(url)


def _copy_table(
    old: Connection, new: Connection, table: Table, tell: Callable[[str, int], None]
) -> int:
    count = 0
    at_once = _FILES_AT_ONCE if table is pictures else _ROWS_AT_ONCE
    rows = old.execution_options(yield_per=at_once).execute(
        select(table).order_by(*table.primary_key)
    )
    for part in rows.mappings().partitions():
        new.execute(insert(table), [dict(row) for row in part])
        count += len(part)
        tell(table.name, count)
    return count


def _go_on_counting(tx: Connection, table: Table) -> None:
    """Let PostgreSQL give new rows ids after those that were copied."""
    last = tx.execute(select(func.max(table.c.id))).scalar_one()
    if last is not None:
        tx.execute(
            text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)"),
            {"name": table.name, "last": last},
        )
