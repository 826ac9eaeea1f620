"""Set a newsletter's schedule, or stop following it."""

from datetime import datetime

from digest.domain.actor import Actor
from digest.domain.calendar import Schedule, check_schedule
from digest.domain.moves import idle_exceptions
from digest.domain.schedules import KeptSchedule, describe
from digest.storage import audit, issue_exceptions, newsletters, schedules
from digest.storage.engine import Database


def set_schedule(
    db: Database, *, newsletter: str, plan: Schedule, actor: Actor, now: datetime
) -> KeptSchedule:
    """Give a newsletter a schedule in place of the one it had.

    Issues that were moved or skipped stay so where they still fit; the
    exceptions of `plan` itself are ignored.

    Raises:
        NotFoundError: There is no such newsletter.
        UsageError: Nobody could follow the schedule.
    """
    check_schedule(plan)
    with db.write() as tx:
        found = newsletters.get(tx, newsletter)
        before = schedules.find(tx, found.id)
        # Otherwise it would find this week's issue late, and post it at once.
        anew = before is None or _rhythm(before.plan) != _rhythm(plan)
        kept = schedules.put(tx, found.id, plan, now, anew=anew)
        idle = [exception.issue_date for exception in idle_exceptions(kept.plan)]
        issue_exceptions.drop(tx, kept.id, idle)
        audit.record(
            tx,
            actor=actor,
            action="schedule.set",
            subject=("schedule", kept.id),
            now=now,
            detail=describe(plan),
        )
        return schedules.get(tx, found)


def disable_schedule(
    db: Database, *, newsletter: str, actor: Actor, now: datetime
) -> KeptSchedule:
    """Stop following a schedule; `set_schedule` starts it again.

    Raises:
        NotFoundError: There is no such newsletter, or it has no schedule.
    """
    with db.write() as tx:
        found = newsletters.get(tx, newsletter)
        kept = schedules.get(tx, found)
        if schedules.disable(tx, kept, now):
            audit.record(
                tx,
                actor=actor,
                action="schedule.disabled",
                subject=("schedule", kept.id),
                now=now,
            )
        return schedules.get(tx, found)


def _rhythm(plan: Schedule) -> tuple[object, ...]:
    return plan.enabled, plan.rhythm, plan.at, plan.zone
