"""Tell operators what keeps an issue from going, once for each reason."""

from datetime import date, datetime

from digest.domain.actor import Actor
from digest.domain.schedules import KeptSchedule
from digest.storage import audit, schedules
from digest.storage.engine import Database


def mark_late(
    db: Database,
    *,
    kept: KeptSchedule,
    issue_date: date,
    trouble: str,
    actor: Actor,
    now: datetime,
) -> bool:
    """Ask an operator about an issue that is past its grace, once.

    Args:
        db: The database.
        kept: The schedule.
        issue_date: The issue.
        trouble: What the operator is asked.
        actor: Who found it.
        now: When.

    Returns:
        Whether it was news.
    """
    with db.write() as tx:
        is_news = schedules.mark_late(tx, kept, issue_date, f"{issue_date}: {trouble}")
        if is_news:
            audit.record(
                tx,
                actor=actor,
                action="schedule.late",
                subject=("schedule", kept.id),
                now=now,
                detail={"issue_date": str(issue_date), "trouble": trouble},
            )
    return is_news


def tell_trouble(
    db: Database,
    *,
    kept: KeptSchedule,
    trouble: str | None,
    actor: Actor,
    now: datetime,
) -> bool:
    """Say why an issue does not go, once for each reason; None: it does now.

    Returns:
        Whether it was news.
    """
    with db.write() as tx:
        is_news = schedules.set_trouble(tx, kept, trouble)
        if is_news and trouble is not None:
            audit.record(
                tx,
                actor=actor,
                action="schedule.blocked",
                subject=("schedule", kept.id),
                now=now,
                detail={"trouble": trouble},
            )
    return is_news
