"""One turn of the schedule: what is due now goes to the stage that does it.

Every turn starts from the database and may be repeated, missed or run twice at once:
an issue has one edition (its UNIQUE key), and an edition is released once.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from digest.bootstrap import Service
from digest.domain.calendar import (
    Approval,
    DueIssue,
    issues_between,
    next_issues,
)
from digest.domain.editions import Edition
from digest.domain.errors import DigestError
from digest.domain.newsletters import Newsletter
from digest.domain.schedules import MEMORY, KeptSchedule
from digest.domain.states import EditionKind, EditionState
from digest.schedule import desk, stages
from digest.storage import editions, newsletters, schedules

_log = structlog.get_logger()

_WAITING = frozenset({EditionState.DRAFT, EditionState.APPROVED})
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
    with service.db.read() as tx:
        plans = [kept.plan for kept in schedules.list_all(tx, enabled=True)]
    moments = [
        issue.due - wait
        for plan in plans
        for wait in (timedelta(0), plan.collect_before)
        for issue in next_issues(plan, now + wait + _INSTANT)
    ]
    return min(moments, default=None)


def _for_each(
    service: Service,
    now: datetime,
    act: Callable[[Service, KeptSchedule, Newsletter, datetime], None],
) -> None:
    with service.db.read() as tx:
        work = [
            (kept, newsletters.get_by_id(tx, kept.newsletter_id))
            for kept in schedules.list_all(tx, enabled=True)
        ]
    for kept, newsletter in work:
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
        edition = _edition_of(service, kept, issue)
        if edition is None:
            _collect_once(service, kept, newsletter, issue, now)
            _compose(service, kept, newsletter, issue, now)
            edition = _edition_of(service, kept, issue)
        if edition is not None:
            desk.ask(service, edition.id, now)


def _collect_once(
    service: Service,
    kept: KeptSchedule,
    newsletter: Newsletter,
    issue: DueIssue,
    now: datetime,
) -> None:
    if kept.has_collected(issue.issue_date):
        return
    stages.collect(service, newsletter, now)
    # Only now: a run that died while collecting does it again.
    with service.db.write() as tx:
        schedules.mark_collected(tx, kept, issue.issue_date)


def _compose(
    service: Service,
    kept: KeptSchedule,
    newsletter: Newsletter,
    issue: DueIssue,
    now: datetime,
) -> None:
    try:
        edition = stages.compose(service, newsletter, issue.issue_date, now)
        _log.info("schedule.composed", newsletter=newsletter.slug, edition=edition.id)
        if kept.plan.approval is Approval.AUTO:
            # Early, so that an editor can mend it before it is due.
            stages.require_no_errors(service, edition.id)
    except DigestError as error:
        _tell(service, kept, issue, now, str(error))


def _release_due(
    service: Service, kept: KeptSchedule, newsletter: Newsletter, now: datetime
) -> None:
    start = max(kept.since, now - MEMORY)
    for issue in issues_between(kept.plan, start, now + _INSTANT):
        edition = _edition_of(service, kept, issue)
        if edition is not None and edition.state not in _WAITING:
            _forget_trouble(service, kept, issue, now)
        elif now > issue.due + kept.plan.grace:
            _ask(service, kept, newsletter, issue, now)
        elif edition is not None:
            _let_go(service, kept, issue, edition, now)


def _let_go(
    service: Service,
    kept: KeptSchedule,
    issue: DueIssue,
    edition: Edition,
    now: datetime,
) -> None:
    is_waiting = edition.state is EditionState.DRAFT
    if is_waiting and kept.plan.approval is Approval.REQUIRED:
        mend = f"Run: digest editions approve {edition.id}"
        _tell(service, kept, issue, now, f"It waits for an approval. {mend}")
        return
    try:
        if kept.plan.approval is Approval.AUTO:
            stages.approve(service, edition.id, now)
        stages.release(service, edition.id)
    except DigestError as error:
        latest = _edition_of(service, kept, issue)
        # Otherwise somebody else was quicker, and there is no trouble.
        if latest is not None and latest.state in _WAITING:
            _tell(service, kept, issue, now, str(error))
        return
    _log.info("schedule.released", edition=edition.id)
    stages.tell_trouble(service, kept, None, now)


def _ask(
    service: Service,
    kept: KeptSchedule,
    newsletter: Newsletter,
    issue: DueIssue,
    now: datetime,
) -> None:
    day = issue.issue_date
    if kept.has_asked(day):
        return
    trouble = (
        f"It was due at {issue.local:%Y-%m-%d %H:%M %Z} and is past its grace. Release"
        " it by hand (digest editions release ID), or leave it."
    )
    if stages.mark_late(service, kept, day, trouble, now):
        _log.warning("schedule.late", newsletter=newsletter.slug, issue_date=str(day))


def _tell(
    service: Service, kept: KeptSchedule, issue: DueIssue, now: datetime, trouble: str
) -> None:
    told = f"{issue.issue_date}: {trouble}"
    if told == kept.trouble:
        return
    if stages.tell_trouble(service, kept, told, now):
        _log.warning("schedule.blocked", schedule=kept.id, trouble=told)


def _forget_trouble(
    service: Service, kept: KeptSchedule, issue: DueIssue, now: datetime
) -> None:
    if kept.trouble and kept.trouble.startswith(str(issue.issue_date)):
        stages.tell_trouble(service, kept, None, now)


def _edition_of(
    service: Service, kept: KeptSchedule, issue: DueIssue
) -> Edition | None:
    with service.db.read() as tx:
        made = editions.of_issue(
            tx,
            newsletter_id=kept.newsletter_id,
            kind=EditionKind.WEEKLY,
            issue_date=issue.issue_date,
        )
    return made[0] if made else None
