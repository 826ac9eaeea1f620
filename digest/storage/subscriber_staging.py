"""The staging tables of an import: temporary, so that reading a file holds no lock."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text

from digest.domain.states import SubscriptionState, SuppressionReason
from digest.storage.engine import Tx
from digest.storage.types import Id, UtcDateTime


class Outcome(StrEnum):
    """What becomes of a row."""

    ADDED = "added"  # a new active subscription
    ALREADY = "already"  # subscribed before, or earlier in the file
    SUPPRESSED = "suppressed"  # must not be written to, or left


class Staged(NamedTuple):
    """One row of a list, read and found good.

    Attributes:
        line: Where it stands in the file.
        address_key: As `EmailAddress.key`.
        address: As written to.
        domain: Of the address.
        address_hash: As `Secrets.hash_address`.
        name: May be empty.
        state: Of the subscription it asks for.
        at: The time the list states for it; None: not known.
        network: Network address at opt-in, or empty.
        source: Where the consent came from.
        wording: What was agreed to.
        sections: Slugs, comma separated.
        format: `html` or `text`.
        reason: Why it must be suppressed; None: a reader.
        detail: More about the reason.
    """

    line: int
    address_key: str
    address: str
    domain: str
    address_hash: str
    name: str
    state: SubscriptionState
    at: datetime | None
    network: str
    source: str
    wording: str
    sections: str
    format: str
    reason: SuppressionReason | None
    detail: str


staging = MetaData()
rows = Table(
    "import_rows",
    staging,
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("address_key", String, nullable=False),
    Column("address", String, nullable=False),
    Column("domain", String, nullable=False),
    Column("address_hash", String, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("at", UtcDateTime),
    Column("network", String, nullable=False),
    Column("source", Text, nullable=False),
    Column("wording", Text, nullable=False),
    Column("sections", Text, nullable=False),
    Column("format", String, nullable=False),
    Column("reason", String),
    Column("detail", Text, nullable=False),
    prefixes=["TEMPORARY"],
)
Index(
    "import_rows_barred",
    rows.c.address_hash,
    sqlite_where=rows.c.reason.is_not(None),
    postgresql_where=rows.c.reason.is_not(None),
)
plan = Table(
    "import_plan",
    staging,
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("outcome", String, nullable=False),
    Column("subscriber_id", Id),
    Column("subscription_id", Id),
    prefixes=["TEMPORARY"],
)
Index(
    "import_plan_waiting",
    plan.c.subscription_id,
    sqlite_where=plan.c.subscription_id.is_not(None),
    postgresql_where=plan.c.subscription_id.is_not(None),
)

_COLUMNS = ", ".join(Staged._fields)
_AT = Staged._fields.index("at")


def load(tx: Tx, batch: Sequence[Staged]) -> None:
    """Stage some thousand rows; lines must not repeat."""
    if tx.dialect.name == "sqlite":
        marks = ", ".join("?" * len(Staged._fields))
        tx.exec_driver_sql(
            # names of columns, nothing of anybody's
            f"INSERT INTO import_rows ({_COLUMNS}) VALUES ({marks})",  # noqa: S608
            [_spell(row, aware=False) for row in batch],
        )
        return
    driver: Any = tx.connection.dbapi_connection  # psycopg's own, for COPY
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY import_rows ({_COLUMNS}) FROM STDIN") as copy,
    ):
        for row in batch:
            copy.write_row(_spell(row, aware=True))


def _spell(row: Staged, *, aware: bool) -> tuple[object, ...]:
    """Write a row as the driver takes it: times as `UtcDateTime` stores them."""
    if row.at is None:
        return row
    utc = row.at.astimezone(UTC)
    kept = utc if aware else utc.replace(tzinfo=None)
    return (*row[:_AT], kept.isoformat(" ", "microseconds"), *row[_AT + 1 :])
