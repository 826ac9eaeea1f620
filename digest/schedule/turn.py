"""One turn of the schedule: what is due now goes to the stage that does it.

Every turn starts from the database and may be repeated, missed or run twice at once:
an issue has one edition (its UNIQUE key), and an edition is released once.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from digest.bootstrap import Service
from digest.domain.calendar import issues_between, next_issues
from digest.domain.newsletters import Newsletter
from digest.domain.schedules import MEMORY, KeptSchedule
from digest.schedule import desk, preparing, releasing
from digest.schedule.case import Case, followed

_log = structlog.get_logger()

_INSTANT = timedelta.resolution


def tick(service: Service, now: datetime) -> None:
    """Do everything that is due; doing it again changes nothing more.

    Args:
        service: The installation.
        now: The present, UTC.
    """
    prepare(service, now)
    release_due(service, now)
    tell_desk(service, now)


def prepare(service: Service, now: datetime) -> None:
    """Collect stories for the coming issues and compose their editions."""
    _for_each(service, now, _prepare)


def release_due(service: Service, now: datetime) -> None:
    """Release the editions whose time has come; ask about those it has passed."""
    _for_each(service, now, _release_due)


def tell_desk(service: Service, now: datetime) -> None:
    """Remind the desk of what waits for it, and say how issues went."""
    _for_each(service, now, desk.tell)


def next_moment(service: Service, now: datetime) -> datetime | None:
    """Return when something will be due next, strictly after `now`."""
    moments = [
        issue.due - wait
        for kept, _ in followed(service)
        for wait in (timedelta(0), kept.plan.collect_before, kept.plan.collect_again)
        for issue in next_issues(kept.plan, now + wait + _INSTANT)
    ]
    return min(moments, default=None)


def _for_each(
    service: Service,
    now: datetime,
    act: Callable[[Service, KeptSchedule, Newsletter, datetime], None],
) -> None:
    for kept, newsletter in followed(service):
        try:
            act(service, kept, newsletter, now)
        except Exception:  # noqa: BLE001 - one newsletter must not stop the others
            _log.exception("schedule.turn_failed", newsletter=newsletter.slug)


def _prepare(
    service: Service, kept: KeptSchedule, newsletter: Newsletter, now: datetime
) -> None:
    start = max(kept.since, now - kept.plan.grace)
    end = now + kept.plan.collect_before + _INSTANT
    for issue in issues_between(kept.plan, start, end):
        case = Case(
            service=service, kept=kept, newsletter=newsletter, issue=issue, now=now
        )
        preparing.prepare(case)


def _release_due(
    service: Service, kept: KeptSchedule, newsletter: Newsletter, now: datetime
) -> None:
    start = max(kept.since, now - MEMORY)
    for issue in issues_between(kept.plan, start, now + _INSTANT):
        case = Case(
            service=service, kept=kept, newsletter=newsletter, issue=issue, now=now
        )
        releasing.release(case)
