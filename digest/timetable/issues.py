"""Let single issues differ from their schedule: moved or skipped."""

from datetime import date, datetime

from digest.domain.actor import Actor
from digest.domain.calendar import (
    DueIssue,
    ExceptionKind,
    IssueException,
    issue_of,
)
from digest.domain.errors import StateError
from digest.domain.moves import check_move
from digest.domain.schedules import KeptSchedule
from digest.domain.states import EditionKind, EditionState
from digest.storage import (
    audit,
    desk,
    editions,
    issue_exceptions,
    newsletters,
    schedules,
)
from digest.storage.engine import Database, Tx


def move_issue(
    db: Database,
    *,
    newsletter: str,
    issue_date: date,
    to: datetime,
    actor: Actor,
    now: datetime,
) -> DueIssue:
    """Let one issue go at another local time; its usual time undoes a change.

    Args:
        db: The database.
        newsletter: Whose issue it is.
        issue_date: The local date that names it.
        to: Local time without zone.
        actor: Who asks.
        now: When.

    Returns:
        The issue as it will be.

    Raises:
        NotFoundError: There is no such newsletter, or it has no schedule.
        UsageError: The schedule has no issue on that date.
        StateError: It would overtake its neighbour, or is at the post already.
    """
    change = IssueException(
        issue_date=issue_date, kind=ExceptionKind.MOVED, moved_to=to
    )
    with db.write() as tx:
        found = newsletters.get(tx, newsletter)
        kept = schedules.get(tx, found)
        check_move(kept.plan, issue_date, to)
        _change(tx, kept, change, actor=actor, now=now)
        return issue_of(schedules.get(tx, found).plan, issue_date)


def skip_issue(
    db: Database, *, newsletter: str, issue_date: date, actor: Actor, now: datetime
) -> KeptSchedule:
    """Leave one issue out.

    Returns:
        The schedule with it.

    Raises:
        NotFoundError: There is no such newsletter, or it has no schedule.
        UsageError: The schedule has no issue on that date.
        StateError: It is at the post already.
    """
    change = IssueException(issue_date=issue_date, kind=ExceptionKind.SKIPPED)
    with db.write() as tx:
        found = newsletters.get(tx, newsletter)
        kept = schedules.get(tx, found)
        issue_of(kept.plan, issue_date)
        _change(tx, kept, change, actor=actor, now=now)
        return schedules.get(tx, found)


def _change(
    tx: Tx, kept: KeptSchedule, change: IssueException, *, actor: Actor, now: datetime
) -> None:
    """Replace what was different about an issue; a usual time needs no row."""
    _free_edition(tx, kept, change.issue_date, actor=actor, now=now)
    issue_exceptions.drop(tx, kept.id, [change.issue_date])
    if change.moved_to != datetime.combine(change.issue_date, kept.plan.at):
        issue_exceptions.add(tx, kept.id, change, actor=actor, now=now)
    moved_to = change.moved_to and change.moved_to.isoformat()
    audit.record(
        tx,
        actor=actor,
        action=f"schedule.{change.kind}",
        subject=("schedule", kept.id),
        now=now,
        detail={"issue_date": str(change.issue_date), "to": moved_to},
    )


def _free_edition(
    tx: Tx, kept: KeptSchedule, issue_date: date, *, actor: Actor, now: datetime
) -> None:
    """Take back what was said about its edition's hour, by hand or to the desk.

    Raises:
        StateError: It is at the post already.
    """
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
    if made:
        desk.forget_reminders(tx, made[0].id)
    if made and made[0].state == EditionState.SCHEDULED:
        # Otherwise it would go at that time all the same.
        editions.move(tx, made[0], EditionState.APPROVED, now=now, scheduled_at=None)
        audit.record_edition(tx, made[0].id, "unscheduled", actor=actor, now=now)
