"""When an edition goes, and whose stories it carries, as its schedule has it."""

from contextlib import suppress
from datetime import date, datetime

from digest.domain.calendar import issue_of
from digest.domain.editions import Edition
from digest.domain.errors import DigestError
from digest.domain.issue import days_of
from digest.domain.states import EditionKind
from digest.storage import schedules
from digest.storage.engine import Tx


def hour_of(tx: Tx, newsletter_id: int, issue_date: date) -> datetime | None:
    """Return when the schedule releases an issue; None where no schedule does."""
    kept = schedules.find(tx, newsletter_id)
    if kept is None or not kept.plan.enabled:
        return None
    with suppress(DigestError):
        return issue_of(kept.plan, issue_date).due
    return None


def days_carried(tx: Tx, newsletter_id: int, issue_date: date) -> tuple[date, date]:
    """Return the first and last local date whose stories an issue carries."""
    kept = schedules.find(tx, newsletter_id)
    return kept.plan.rhythm.days_covered(issue_date) if kept else days_of(issue_date)


def goes_at(tx: Tx, edition: Edition) -> datetime | None:
    """Return when an edition is to be released; None: when somebody says so."""
    if edition.scheduled_at is not None or edition.kind == EditionKind.CORRECTION:
        return edition.scheduled_at
    return hour_of(tx, edition.newsletter_id, edition.issue_date)
