"""When an edition goes, as its newsletter's schedule has it now."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.domain.calendar import Approval, issue_of
from digest.domain.editions import Edition
from digest.domain.errors import DigestError
from digest.domain.newsletters import Newsletter
from digest.domain.reviews import LONGEST_REVIEW
from digest.domain.states import EditionKind
from digest.storage import schedules
from digest.storage.engine import Tx

_LATE_REVIEW = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When an edition goes.

    Attributes:
        due: Its hour; None: no schedule lets it go.
        grace: How late it may still go without asking.
        is_automatic: Whether it goes without an approval.
        zone: Whose clock people go by.
    """

    due: datetime | None = None
    grace: timedelta = timedelta(0)
    is_automatic: bool = False
    zone: str

    @property
    def end(self) -> datetime | None:
        """Until when it may go without asking."""
        return self.due + self.grace if self.due else None

    def is_late(self, now: datetime) -> bool:
        """Tell whether nothing but a person sends it any more."""
        return self.end is not None and now > self.end

    def links_end(self, now: datetime) -> datetime:
        """Say until when links hold that are made now."""
        if self.end is None:
            return now + LONGEST_REVIEW
        # Past its grace somebody is asked, and needs the time to answer.
        return self.end if now < self.end else now + _LATE_REVIEW


def timing_of(tx: Tx, edition: Edition, newsletter: Newsletter) -> Timing:
    """Look an edition's hour up."""
    kept = schedules.find(tx, newsletter.id)
    if kept is None or not kept.plan.enabled or edition.kind != EditionKind.WEEKLY:
        return Timing(due=edition.scheduled_at, zone=newsletter.time_zone)
    due = None
    with suppress(DigestError):
        due = issue_of(kept.plan, edition.issue_date).due
    return Timing(
        due=edition.scheduled_at or due,
        grace=kept.plan.grace,
        is_automatic=due is not None and kept.plan.approval is Approval.AUTO,
        zone=kept.plan.zone,
    )
