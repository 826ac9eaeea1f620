"""Insert rows unless their unique key is taken, without failing the transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, Table
from sqlalchemy.dialects import postgresql, sqlite

from digest.storage.engine import Tx


def insert_once(tx: Tx, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert one row, or leave the one that holds its unique key.

    On PostgreSQL it waits for another transaction that is inserting the same key,
    so that a SELECT afterwards finds the row either way.

    Returns:
        Whether the row is new.
    """
    statement = _insert(tx, table).values(**values).on_conflict_do_nothing()
    # An INSERT's count of rows is otherwise lost on PostgreSQL.
    counted = statement.execution_options(preserve_rowcount=True)
    return tx.execute(counted).rowcount == 1


def insert_or_add(
    tx: Tx, table: Table, values: Mapping[str, Any], *, counter: str
) -> None:
    """Insert one row, or add to a counter of the one that holds its primary key.

    The row stays locked until the transaction ends.
    """
    statement = _insert(tx, table).values(**values)
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=list(table.primary_key),
            set_={counter: table.c[counter] + values[counter]},
        )
    )


def insert_new(
    tx: Tx, table: Table, columns: Sequence[str], query: Select[*tuple[Any, ...]]
) -> None:
    """Insert what a query finds, except rows whose unique key is taken."""
    statement = _insert(tx, table).from_select(columns, query)
    tx.execute(statement.on_conflict_do_nothing())


def _insert(tx: Tx, table: Table) -> postgresql.Insert | sqlite.Insert:
    if tx.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
