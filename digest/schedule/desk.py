"""What the schedule asks of the desk, and tells it: the draft, reminders, reports."""

from datetime import datetime

import structlog

from digest.bootstrap import Service
from digest.domain.actor import SCHEDULE
from digest.domain.calendar import Approval, DueIssue, issues_between
from digest.domain.editions import CHANGEABLE, Edition
from digest.domain.newsletters import Newsletter
from digest.domain.reviews import REMINDERS, DeskMail, reminders
from digest.domain.schedules import KeptSchedule
from digest.domain.states import EditionKind, EditionState
from digest.storage import desk, editions
from digest.timetable import reporting

_log = structlog.get_logger()


def is_asked(service: Service, edition_id: int) -> bool:
    """Tell whether the desk was asked about a draft."""
    with service.db.read() as tx:
        return DeskMail.ASK in desk.mailed(tx, edition_id)


def ask(
    service: Service, edition_id: int, now: datetime, *, notes: tuple[str, ...] = ()
) -> None:
    """Mail a draft to the desk, unless it has it."""
    with service.db.read() as tx:
        known = desk.mailed(tx, edition_id)
        edition = editions.get(tx, edition_id)
    if DeskMail.ASK in known or edition.state not in CHANGEABLE:
        return
    if _mail(service, edition_id, DeskMail.ASK, now, notes=notes):
        _log.info("desk.asked", edition=edition_id)


def tell(
    service: Service, kept: KeptSchedule, newsletter: Newsletter, now: datetime
) -> None:
    """Remind of issues that nobody approved, report those that went."""
    start, end = max(kept.since, now - kept.plan.grace), now + kept.plan.collect_before
    for issue in issues_between(kept.plan, start, end):
        with service.db.read() as tx:
            made = editions.of_issue(
                tx,
                newsletter_id=newsletter.id,
                kind=EditionKind.WEEKLY,
                issue_date=issue.issue_date,
            )
        if made and _waits(made[0], kept):
            _remind(service, made[0], kept, issue, now)
    reporting.report_due(
        service.db,
        newsletter=newsletter,
        site=service.site,
        secrets=service.secrets,
        templates=service.templates,
        actor=SCHEDULE,
        now=now,
    )


def _waits(edition: Edition, kept: KeptSchedule) -> bool:
    needs_approval = kept.plan.approval is Approval.REQUIRED or edition.held_at
    return edition.state is EditionState.DRAFT and bool(needs_approval)


def _remind(
    service: Service,
    edition: Edition,
    kept: KeptSchedule,
    issue: DueIssue,
    now: datetime,
) -> None:
    with service.db.read() as tx:
        known = desk.mailed(tx, edition.id)
    if DeskMail.ASK not in known:
        return
    moments = reminders(
        asked_at=known[DeskMail.ASK], due=issue.due, grace=kept.plan.grace
    )
    late = [what for what in REMINDERS if what in moments and moments[what] <= now]
    # Of several that a sleeping host missed, the last one says it all.
    if late and late[-1] not in known:
        _mail(service, edition.id, late[-1], now)


def _mail(
    service: Service,
    edition_id: int,
    what: DeskMail,
    now: datetime,
    *,
    notes: tuple[str, ...] = (),
) -> int:
    return service.ask_desk(edition_id, what, actor=SCHEDULE, now=now, notes=notes)
