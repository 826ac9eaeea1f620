"""Schedules: when newsletters appear, and what the runner must not forget."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row, delete, select, update

from digest.domain.calendar import (
    Approval,
    ExceptionKind,
    IssueException,
    Schedule,
)
from digest.domain.errors import NotFoundError
from digest.domain.newsletters import Newsletter
from digest.domain.policies import (
    Policies,
    TooFew,
    Unapproved,
    describe_policies,
)
from digest.domain.rhythm_text import parse_rhythm, write_rhythm
from digest.domain.schedules import KeptSchedule
from digest.storage import tables
from digest.storage.engine import Tx
from digest.storage.insertion import insert_once


def put(
    tx: Tx, newsletter_id: int, plan: Schedule, now: datetime, *, anew: bool
) -> KeptSchedule:
    """Store a newsletter's schedule in place of the one it had.

    The exceptions that are stored stay; those of `plan` are ignored.

    Args:
        tx: A writing transaction.
        newsletter_id: Whose it is.
        plan: What was asked for.
        now: When.
        anew: Forget how far it got; issues due before `now` are not its business.
    """
    values = _values(plan) | {"updated_at": now}
    if anew:
        values |= {"since": now, "collected_for": None, "late_for": None}
    fresh = {"newsletter_id": newsletter_id, "created_at": now, "since": now}
    if not insert_once(tx, tables.schedules, fresh | values):
        c = tables.schedules.c
        tx.execute(
            update(tables.schedules)
            .where(c.newsletter_id == newsletter_id)
            .values(**values, trouble=None)
        )
    found = find(tx, newsletter_id)
    assert found is not None
    if anew:
        steps = tables.issue_steps
        tx.execute(delete(steps).where(steps.c.schedule_id == found.id))
    return found


def find(tx: Tx, newsletter_id: int) -> KeptSchedule | None:
    """Load a newsletter's schedule, if it has one."""
    c = tables.schedules.c
    query = select(tables.schedules).where(c.newsletter_id == newsletter_id)
    row = tx.execute(query).one_or_none()
    return _load(tx, row) if row else None


def get(tx: Tx, newsletter: Newsletter) -> KeptSchedule:
    """Load a newsletter's schedule.

    Raises:
        NotFoundError: It has none.
    """
    found = find(tx, newsletter.id)
    if found is None:
        raise NotFoundError(
            f"The newsletter {newsletter.slug} has no schedule.",
            f'Set one: digest schedules set {newsletter.slug} --at "Sun 19:00"'
            f" --zone {newsletter.time_zone}",
        )
    return found


def list_all(tx: Tx, *, enabled: bool | None = None) -> Sequence[KeptSchedule]:
    """Load every schedule, oldest first; of one sort where `enabled` is given."""
    c = tables.schedules.c
    query = select(tables.schedules).order_by(c.id)
    if enabled is not None:
        query = query.where(c.enabled == enabled)
    return [_load(tx, row) for row in tx.execute(query).all()]


def disable(tx: Tx, kept: KeptSchedule, now: datetime) -> bool:
    """Stop following a schedule; `put` starts it again.

    Returns:
        Whether it was followed so far.
    """
    c = tables.schedules.c
    changed = tx.execute(
        update(tables.schedules)
        .where(c.id == kept.id, c.enabled)
        .values(enabled=False, trouble=None, updated_at=now)
    )
    return changed.rowcount == 1


def mark_collected(tx: Tx, kept: KeptSchedule, issue_date: date) -> None:
    """Remember that an issue's stories were collected."""
    c = tables.schedules.c
    tx.execute(
        update(tables.schedules).where(c.id == kept.id).values(collected_for=issue_date)
    )


def mark_late(tx: Tx, kept: KeptSchedule, issue_date: date, trouble: str) -> None:
    """Keep which issue was found past its grace last, and what is asked about it."""
    c = tables.schedules.c
    tx.execute(
        update(tables.schedules)
        .where(c.id == kept.id)
        .values(late_for=issue_date, trouble=trouble)
    )


def set_trouble(tx: Tx, kept: KeptSchedule, trouble: str | None) -> bool:
    """Store why the present issue does not go; None: it does.

    Returns:
        Whether that is new.
    """
    c = tables.schedules.c
    changed = tx.execute(
        update(tables.schedules)
        .where(c.id == kept.id, c.trouble.is_distinct_from(trouble))
        .values(trouble=trouble)
    )
    return changed.rowcount == 1


def _values(plan: Schedule) -> dict[str, Any]:
    return {
        "days": write_rhythm(plan.rhythm),
        "local_time": plan.at.isoformat("minutes"),
        "zone": plan.zone,
        "approval": plan.approval,
        "collect_before": int(plan.collect_before.total_seconds()),
        "grace": int(plan.grace.total_seconds()),
        "start_on": plan.start_on,
        "end_on": plan.end_on,
        "enabled": plan.enabled,
        **describe_policies(plan.policies),
    }


def _load(tx: Tx, row: Row[Any]) -> KeptSchedule:
    c = tables.schedule_exceptions.c
    exceptions = tx.execute(
        select(tables.schedule_exceptions)
        .where(c.schedule_id == row.id)
        .order_by(c.issue_date)
    )
    plan = Schedule(
        rhythm=parse_rhythm(row.days),
        at=time.fromisoformat(row.local_time),
        zone=row.zone,
        approval=Approval(row.approval),
        collect_before=timedelta(seconds=row.collect_before),
        grace=timedelta(seconds=row.grace),
        start_on=row.start_on,
        end_on=row.end_on,
        enabled=row.enabled,
        policies=Policies(
            unapproved=Unapproved(row.unapproved),
            too_few=TooFew(row.too_few),
            least=row.least,
            collect_again=timedelta(seconds=row.collect_again),
        ),
    )
    return KeptSchedule(
        id=row.id,
        newsletter_id=row.newsletter_id,
        plan=replace(plan, exceptions=tuple(_exception(e) for e in exceptions)),
        since=row.since,
        collected_for=row.collected_for,
        late_for=row.late_for,
        trouble=row.trouble,
    )


def _exception(row: Row[Any]) -> IssueException:
    return IssueException(
        issue_date=row.issue_date,
        kind=ExceptionKind(row.kind),
        moved_to=row.moved_to and datetime.fromisoformat(row.moved_to),
    )
