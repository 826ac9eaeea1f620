"""Single issues that do not follow their schedule: moved or skipped."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import delete, insert

from digest.domain.actor import Actor
from digest.domain.calendar import IssueException
from digest.storage import tables
from digest.storage.engine import Tx


def add(
    tx: Tx, schedule_id: int, change: IssueException, *, actor: Actor, now: datetime
) -> None:
    """Store what is different about an issue that follows its schedule so far."""
    tx.execute(
        insert(tables.schedule_exceptions).values(
            schedule_id=schedule_id,
            issue_date=change.issue_date,
            kind=change.kind,
            moved_to=change.moved_to and change.moved_to.isoformat(),
            actor=str(actor),
            created_at=now,
        )
    )


def drop(tx: Tx, schedule_id: int, issue_dates: Sequence[date]) -> None:
    """Forget what was different about some issues."""
    c = tables.schedule_exceptions.c
    tx.execute(
        delete(tables.schedule_exceptions).where(
            c.schedule_id == schedule_id, c.issue_date.in_(issue_dates)
        )
    )
