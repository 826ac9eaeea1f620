"""Single issues that do not follow their schedule: moved or skipped."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, insert

from digest.domain.actor import Actor
from digest.domain.calendar import (
    DueIssue,
    ExceptionKind,
    IssueException,
    check_move,
    issue_of,
)
from digest.domain.errors import StateError
from digest.domain.newsletters import Newsletter
from digest.domain.schedules import KeptSchedule
from digest.domain.states import EditionKind
from digest.storage import audit, editions, schedules, tables
from digest.storage.engine import Tx


def move(
    tx: Tx,
    newsletter: Newsletter,
    issue_date: date,
    to: datetime,
    *,
    actor: Actor,
    now: datetime,
) -> DueIssue:
    """Let one issue go at another local time; its usual time undoes a change.

    Args:
        tx: A writing transaction.
        newsletter: Whose issue it is.
        issue_date: The local date that names it.
        to: Local time without zone.
        actor: Who asks.
        now: When.

    Returns:
        The issue as it will be.

    Raises:
        NotFoundError: The newsletter has no schedule.
        UsageError: The schedule has no issue on that date.
        StateError: It would overtake its neighbour, or is at the post already.
    """
    kept = schedules.get(tx, newsletter)
    check_move(kept.plan, issue_date, to)
    _refuse_released(tx, kept, issue_date)
    usual = to == datetime.combine(issue_date, kept.plan.at)
    change = IssueException(
        issue_date=issue_date, kind=ExceptionKind.MOVED, moved_to=to
    )
    _put(tx, kept, change, usual=usual, actor=actor, now=now)
    return issue_of(schedules.get(tx, newsletter).plan, issue_date)


def skip(
    tx: Tx, newsletter: Newsletter, issue_date: date, *, actor: Actor, now: datetime
) -> KeptSchedule:
    """Leave one issue out.

    Returns:
        The schedule with it.

    Raises:
        NotFoundError: The newsletter has no schedule.
        UsageError: The schedule has no issue on that date.
        StateError: It is at the post already.
    """
    kept = schedules.get(tx, newsletter)
    issue_of(kept.plan, issue_date)
    _refuse_released(tx, kept, issue_date)
    change = IssueException(issue_date=issue_date, kind=ExceptionKind.SKIPPED)
    _put(tx, kept, change, actor=actor, now=now)
    return schedules.get(tx, newsletter)


def _refuse_released(tx: Tx, kept: KeptSchedule, issue_date: date) -> None:
    made = editions.of_issue(
        tx,
        newsletter_id=kept.newsletter_id,
        kind=EditionKind.WEEKLY,
        issue_date=issue_date,
    )
    if made and made[0].released_at is not None:
        raise StateError(
            f"The issue of {issue_date} is at the post already.",
            f"See: digest editions status {made[0].id}",
        )


def _put(
    tx: Tx,
    kept: KeptSchedule,
    change: IssueException,
    *,
    usual: bool = False,
    actor: Actor,
    now: datetime,
) -> None:
    """Replace what was different about an issue; a usual time needs no row."""
    c = tables.schedule_exceptions.c
    here = (c.schedule_id == kept.id, c.issue_date == change.issue_date)
    tx.execute(delete(tables.schedule_exceptions).where(*here))
    moved_to = change.moved_to and change.moved_to.isoformat()
    row: dict[str, Any] = {
        "issue_date": change.issue_date,
        "kind": change.kind,
        "moved_to": moved_to,
    }
    if not usual:
        whose = {"schedule_id": kept.id, "actor": str(actor), "created_at": now}
        tx.execute(insert(tables.schedule_exceptions).values(**row, **whose))
    audit.record(
        tx,
        actor=actor,
        action=f"schedule.{change.kind}",
        subject=("schedule", kept.id),
        now=now,
        detail={"issue_date": str(change.issue_date), "to": moved_to},
    )
