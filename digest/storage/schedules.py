"""Schedules: when newsletters appear, and what the runner must not forget."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row, delete, or_, select, update

from digest.domain.actor import Actor
from digest.domain.calendar import (
    Approval,
    ExceptionKind,
    IssueException,
    Schedule,
    check_schedule,
)
from digest.domain.errors import NotFoundError
from digest.domain.newsletters import Newsletter
from digest.domain.schedules import MEMORY, KeptSchedule
from digest.storage import audit, tables
from digest.storage.engine import Tx
from digest.storage.insertion import insert_once


def put(
    tx: Tx, newsletter_id: int, plan: Schedule, now: datetime, *, actor: Actor
) -> KeptSchedule:
    """Store a newsletter's schedule in place of the one it had.

    Issues that were moved or skipped stay so where they are still issue dates; the
    exceptions of `plan` itself are ignored.

    Raises:
        UsageError: Nobody could follow it.
    """
    check_schedule(plan)
    before = find(tx, newsletter_id)
    values = _values(plan) | {"updated_at": now}
    if before is None or _rhythm(before.plan) != _rhythm(plan):
        # Otherwise it would find this week's issue late, and post it at once.
        values |= {"since": now, "collected_for": None, "late_for": None}
    fresh = {"newsletter_id": newsletter_id, "created_at": now, "since": now}
    if before or not insert_once(tx, tables.schedules, values | fresh):
        c = tables.schedules.c
        tx.execute(
            update(tables.schedules)
            .where(c.newsletter_id == newsletter_id)
            .values(**values, trouble=None)
        )
    stored = _require(find(tx, newsletter_id))
    _drop_idle_exceptions(tx, stored)
    _audit(tx, stored, "schedule.set", actor=actor, now=now, **_shown(plan))
    return _require(find(tx, newsletter_id))


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


def disable(
    tx: Tx, newsletter: Newsletter, *, actor: Actor, now: datetime
) -> KeptSchedule:
    """Stop following a schedule; `put` starts it again.

    Raises:
        NotFoundError: The newsletter has none.
    """
    kept = get(tx, newsletter)
    if kept.plan.enabled:
        _update(tx, kept, enabled=False, trouble=None, updated_at=now)
        _audit(tx, kept, "schedule.disabled", actor=actor, now=now)
    return get(tx, newsletter)


def mark_collected(tx: Tx, kept: KeptSchedule, issue_date: date) -> None:
    """Remember that an issue's stories were collected."""
    _update(tx, kept, collected_for=issue_date)


def mark_late(
    tx: Tx,
    kept: KeptSchedule,
    issue_date: date,
    trouble: str,
    *,
    actor: Actor,
    now: datetime,
) -> bool:
    """Ask an operator about an issue that is past its grace, once.

    Args:
        tx: A writing transaction.
        kept: The schedule.
        issue_date: The issue.
        trouble: What the operator is asked.
        actor: Who found it.
        now: When.

    Returns:
        Whether it was news.
    """
    c = tables.schedules.c
    changed = tx.execute(
        update(tables.schedules)
        .where(
            c.id == kept.id,
            or_(
                c.late_for.is_(None),
                c.late_for < issue_date,
                c.late_for > issue_date + MEMORY,
            ),
        )
        .values(late_for=issue_date, trouble=f"{issue_date}: {trouble}")
    )
    if changed.rowcount == 1:
        detail = {"issue_date": str(issue_date), "trouble": trouble}
        _audit(tx, kept, "schedule.late", actor=actor, now=now, **detail)
    return changed.rowcount == 1


def tell_trouble(
    tx: Tx, kept: KeptSchedule, trouble: str | None, *, actor: Actor, now: datetime
) -> bool:
    """Say why an issue does not go, once for each reason; None: it does now.

    Returns:
        Whether it was news.
    """
    c = tables.schedules.c
    changed = tx.execute(
        update(tables.schedules)
        .where(c.id == kept.id, c.trouble.is_distinct_from(trouble))
        .values(trouble=trouble)
    )
    if changed.rowcount == 1 and trouble is not None:
        detail = {"trouble": trouble}
        _audit(tx, kept, "schedule.blocked", actor=actor, now=now, **detail)
    return changed.rowcount == 1


def _drop_idle_exceptions(tx: Tx, kept: KeptSchedule) -> None:
    c = tables.schedule_exceptions.c
    idle = [
        exception.issue_date
        for exception in kept.plan.exceptions
        if exception.issue_date.weekday() != kept.plan.weekday
    ]
    tx.execute(
        delete(tables.schedule_exceptions).where(
            c.schedule_id == kept.id, c.issue_date.in_(idle)
        )
    )


def _rhythm(plan: Schedule) -> tuple[object, ...]:
    return plan.enabled, plan.weekday, plan.at, plan.zone


def _values(plan: Schedule) -> dict[str, Any]:
    return {
        "weekday": plan.weekday,
        "local_time": plan.at.isoformat("minutes"),
        "zone": plan.zone,
        "approval": plan.approval,
        "collect_before": int(plan.collect_before.total_seconds()),
        "grace": int(plan.grace.total_seconds()),
        "start_on": plan.start_on,
        "end_on": plan.end_on,
        "enabled": plan.enabled,
    }


def _shown(plan: Schedule) -> Mapping[str, Any]:
    values = _values(plan)
    return values | {
        name: value and str(value)
        for name, value in values.items()
        if name.endswith("_on")
    }


def _load(tx: Tx, row: Row[Any]) -> KeptSchedule:
    c = tables.schedule_exceptions.c
    exceptions = tx.execute(
        select(tables.schedule_exceptions)
        .where(c.schedule_id == row.id)
        .order_by(c.issue_date)
    )
    plan = Schedule(
        weekday=row.weekday,
        at=time.fromisoformat(row.local_time),
        zone=row.zone,
        approval=Approval(row.approval),
        collect_before=timedelta(seconds=row.collect_before),
        grace=timedelta(seconds=row.grace),
        start_on=row.start_on,
        end_on=row.end_on,
        enabled=row.enabled,
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


def _update(tx: Tx, kept: KeptSchedule, **columns: Any) -> None:
    c = tables.schedules.c
    tx.execute(update(tables.schedules).where(c.id == kept.id).values(**columns))


def _audit(
    tx: Tx,
    kept: KeptSchedule,
    action: str,
    *,
    actor: Actor,
    now: datetime,
    **detail: Any,
) -> None:
    subject = ("schedule", kept.id)
    audit.record(
        tx, actor=actor, action=action, subject=subject, now=now, detail=detail
    )


def _require(found: KeptSchedule | None) -> KeptSchedule:
    assert found is not None
    return found
