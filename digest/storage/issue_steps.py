"""What was done for single issues, each step once."""

from datetime import date, datetime

from sqlalchemy import select, update

from digest.domain.schedules import Step
from digest.storage import tables
from digest.storage.engine import Tx
from digest.storage.insertion import insert_once

_c = tables.issue_steps.c


def done_at(
    tx: Tx, *, schedule_id: int, issue_date: date, step: Step
) -> datetime | None:
    """Say when a step was done; None: it was not."""
    query = select(_c.at).where(
        _c.schedule_id == schedule_id, _c.issue_date == issue_date, _c.step == step
    )
    return tx.execute(query).scalar_one_or_none()


def mark_once(
    tx: Tx, *, schedule_id: int, issue_date: date, step: Step, now: datetime
) -> bool:
    """Store that a step is done; say whether it was not before."""
    values = {"schedule_id": schedule_id, "issue_date": issue_date, "step": step}
    return insert_once(tx, tables.issue_steps, values | {"at": now})


def mark(
    tx: Tx, *, schedule_id: int, issue_date: date, step: Step, now: datetime
) -> None:
    """Store that a step was done, at last now."""
    values = {"schedule_id": schedule_id, "issue_date": issue_date, "step": step}
    if not insert_once(tx, tables.issue_steps, values | {"at": now}):
        tx.execute(
            update(tables.issue_steps)
            .where(*(_c[name] == value for name, value in values.items()))
            .values(at=now)
        )
