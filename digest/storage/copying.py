"""Copy a whole database into an empty one, of the other kind or the same."""

from collections.abc import Callable

from sqlalchemy import Connection, Table, func, insert, select, text

from digest.domain.errors import StateError
from digest.storage import schema
from digest.storage.engine import Database
from digest.storage.tables import metadata

_ROWS_AT_ONCE = 2000


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
        StateError: The source has another version's schema, or the target has rows.
    """
    schema.require_current(source)
    schema.upgrade(target)
    with source.read() as old, target.write() as new:
        _require_empty(new)
        counts = {}
        for table in metadata.sorted_tables:
            counts[table.name] = _copy_table(old, new, table, tell)
            if "id" in table.c and not target.is_sqlite:
                _go_on_counting(new, table)
        return counts


def _require_empty(tx: Connection) -> None:
    for table in metadata.sorted_tables:
        if tx.execute(select(table).limit(1)).first() is not None:
            raise StateError(
                f"The database to copy into has {table.name} already.",
                "Copy into a new one, before `digest init`.",
            )


def _copy_table(
    old: Connection, new: Connection, table: Table, tell: Callable[[str, int], None]
) -> int:
    count = 0
    rows = old.execution_options(yield_per=_ROWS_AT_ONCE).execute(
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
