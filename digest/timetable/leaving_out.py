"""Leave an issue out because a policy of its schedule says so."""

from datetime import datetime

from digest.domain.actor import Actor
from digest.domain.alerts import AlertKind
from digest.domain.calendar import ExceptionKind, IssueException
from digest.domain.states import EditionState
from digest.storage import alerts, audit, editions, issue_exceptions, schedules
from digest.storage.engine import Database
from digest.timetable.alerts import Issue, Letterhead, put


def leave_out(
    db: Database,
    *,
    issue: Issue,
    why: str,
    head: Letterhead,
    actor: Actor,
    now: datetime,
) -> None:
    """Skip an issue, cancel its draft and tell the desk.

    Args:
        db: The database.
        issue: Which issue.
        why: The reason, a sentence.
        head: What letters are made with.
        actor: Who decides.
        now: When.

    Raises:
        StateError: Its edition changed its state meanwhile.
    """
    skip = IssueException(issue_date=issue.issue_date, kind=ExceptionKind.SKIPPED)
    schedule_id, edition = issue.kept.id, issue.edition
    with db.write() as tx:
        if edition is not None:
            cancelled = EditionState.CANCELLED
            editions.move(tx, edition, cancelled, now=now, finished_at=now)
            audit.record_edition(
                tx, edition.id, "cancelled", actor=actor, now=now, reason=why
            )
        issue_exceptions.drop(tx, schedule_id, [issue.issue_date])
        issue_exceptions.add(tx, schedule_id, skip, actor=actor, now=now)
        audit.record(
            tx,
            actor=actor,
            action="schedule.skipped",
            subject=("schedule", schedule_id),
            now=now,
            detail={"issue_date": str(issue.issue_date), "reason": why},
        )
        schedules.set_trouble(tx, issue.kept, None)
        alerts.settle(tx, schedule_id=schedule_id, issue_date=issue.issue_date, now=now)
        words, kind = [f"{why} The issue is left out."], AlertKind.SKIPPED
        put(tx, issue=issue, kind=kind, words=words, head=head, actor=actor, now=now)
