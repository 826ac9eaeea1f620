"""Many rows in one statement: a JSON text on SQLite, arrays on PostgreSQL.

One statement for a group costs one round trip, and takes the interpreter's lock once;
one for each row would take it as often, while the lanes want it.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Dialect,
    Executable,
    FromClause,
    Integer,
    Text,
    bindparam,
    func,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger, DateTime, TypeEngine

from digest.storage.engine import Tx
from digest.storage.types import UtcDateTime

Columns = Mapping[str, type[int] | type[str] | type[datetime]]
"""Names to types, in the order of the values of a row."""

_PARAMETER = "batch"
_ARRAYS: Mapping[type, TypeEngine[Any]] = {
    int: BigInteger(),
    str: Text(),
    datetime: DateTime(timezone=True),
}
_READ: Mapping[type, TypeEngine[Any]] = {
    int: Integer(),
    str: Text(),
    datetime: UtcDateTime(),
}


class Batch:
    """Rows of values that a statement reads like a table.

    Args:
        columns: What a row holds.
        dialect: The database's.

    Attributes:
        table: What the statement selects or updates from.
    """

    def __init__(self, columns: Columns, dialect: str) -> None:
        self._columns = columns
        self._is_json = dialect == "sqlite"
        self.table: FromClause = self._make_table()

    def __getitem__(self, name: str) -> ColumnElement[Any]:
        """Return a column."""
        kind = _READ[self._columns[name]]
        if not self._is_json:
            return type_coerce(self.table.c[name], kind)
        place = list(self._columns).index(name)
        value = func.json_extract(self.table.c.value, f"$[{place}]")
        return type_coerce(value, kind)

    def bind(self, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
        """Return the parameters of a statement for some rows."""
        if self._is_json:
            return {_PARAMETER: json.dumps(rows, default=_write_time)}
        columns = zip(*rows, strict=True) if rows else [()] * len(self._columns)
        return {f"{_PARAMETER}_{n}": list(c) for n, c in enumerate(columns)}

    def _make_table(self) -> FromClause:
        if self._is_json:
            text = bindparam(_PARAMETER, type_=Text())
            return func.json_each(text).table_valued("value", name=_PARAMETER)
        arrays = [
            bindparam(f"{_PARAMETER}_{n}", type_=ARRAY(_ARRAYS[kind]))
            for n, kind in enumerate(self._columns.values())
        ]
        rows = func.unnest(*arrays).table_valued(*self._columns, name=_PARAMETER)
        return rows.render_derived()


class Statement:
    """A statement that was compiled once: only its parameters are looked at again.

    Args:
        statement: Made of SQLAlchemy's expressions.
        batch: The rows it reads; None: it reads none.
        dialect: The database's.
    """

    def __init__(
        self, statement: Executable, batch: Batch | None, dialect: Dialect
    ) -> None:
        compiled = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
        self._text = str(compiled)
        self._batch = batch
        self._places: Sequence[str] | None = compiled.positiontup
        self._fixed = {
            name: value.value if isinstance(value, Enum) else value
            for name, value in compiled.params.items()
        }

    def execute(
        self, tx: Tx, rows: Sequence[Sequence[Any]] = (), **values: Any
    ) -> CursorResult[Any]:
        """Execute it.

        Args:
            tx: A transaction of the dialect it was compiled for.
            rows: For its batch.
            values: For its other parameters.

        Returns:
            What the driver gives; no type of ours reads it.
        """
        parameters = {**self._fixed, **values}
        if self._batch is not None:
            parameters |= self._batch.bind(rows)
        if self._places is None:
            return tx.exec_driver_sql(self._text, parameters)
        plain = tuple(_plain(parameters[name]) for name in self._places)
        return tx.exec_driver_sql(self._text, plain)


def _plain(value: Any) -> Any:
    return _write_time(value) if isinstance(value, datetime) else value


@lru_cache(maxsize=256)
def _write_time(at: datetime) -> str:
    """Write an instant as SQLAlchemy stores it on SQLite; letters share their dates."""
    assert at.tzinfo is not None, "naive datetime"
    naive = at.astimezone(UTC).replace(tzinfo=None)
    return naive.isoformat(" ", timespec="microseconds")
