"""What the desk was told is wrong with issues."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, update

from digest.domain.alerts import Alert, AlertKind, key_of
from digest.storage import tables
from digest.storage.engine import Tx
from digest.storage.insertion import insert_once

_c = tables.alerts.c


def put(
    tx: Tx,
    *,
    schedule_id: int,
    issue_date: date,
    kind: AlertKind,
    words: str,
    now: datetime,
) -> bool:
    """Store that something is wrong, unless that is known and still holds.

    Returns:
        Whether it is news.
    """
    key = key_of(kind, words)
    values = {
        "schedule_id": schedule_id,
        "issue_date": issue_date,
        "kind": kind,
        "words": words,
        "key": key,
        "at": now,
    }
    if insert_once(tx, tables.alerts, values):
        return True
    again = tx.execute(
        update(tables.alerts)
        .where(
            _c.schedule_id == schedule_id,
            _c.issue_date == issue_date,
            _c.key == key,
            _c.settled_at.is_not(None),
        )
        .values(at=now, settled_at=None)
    )
    return again.rowcount == 1


def settle(
    tx: Tx,
    *,
    schedule_id: int,
    issue_date: date,
    now: datetime,
    kinds: Sequence[AlertKind] = tuple(AlertKind),
) -> int:
    """Store that what was wrong with an issue no longer holds.

    Returns:
        How many alerts that settles.
    """
    changed = tx.execute(
        update(tables.alerts)
        .where(
            _c.schedule_id == schedule_id,
            _c.issue_date == issue_date,
            _c.kind.in_(kinds),
            _c.settled_at.is_(None),
        )
        .values(settled_at=now)
    )
    return int(changed.rowcount)


def of_issue(tx: Tx, *, schedule_id: int, issue_date: date) -> list[Alert]:
    """Load what was ever wrong with an issue, oldest first."""
    query = select(tables.alerts).where(
        _c.schedule_id == schedule_id, _c.issue_date == issue_date
    )
    return [_load(row) for row in tx.execute(query.order_by(_c.id))]


def standing(
    tx: Tx, *, schedule_id: int, now: datetime, since: timedelta
) -> list[Alert]:
    """Load what is wrong with a schedule's issues, oldest first.

    Args:
        tx: A transaction.
        schedule_id: Whose.
        now: The present.
        since: How far back issues still matter.
    """
    query = select(tables.alerts).where(
        _c.schedule_id == schedule_id,
        _c.settled_at.is_(None),
        _c.at > now - since,
    )
    return [_load(row) for row in tx.execute(query.order_by(_c.id))]


def _load(row: Row[Any]) -> Alert:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    del values["key"]
    return Alert(**values | {"kind": AlertKind(values["kind"])})
