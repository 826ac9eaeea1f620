"""Insert a row unless its unique key is taken, without failing the transaction."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from digest.storage.engine import Tx


def insert_once(tx: Tx, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert one row, or leave the one that holds its unique key.

    On PostgreSQL it waits for another transaction that is inserting the same key,
    so that a SELECT afterwards finds the row either way.

    Returns:
        Whether the row is new.
    """
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(**values).on_conflict_do_nothing()
    # An INSERT's count of rows is otherwise lost on PostgreSQL.
    counted = statement.execution_options(preserve_rowcount=True)
    return tx.execute(counted).rowcount == 1
