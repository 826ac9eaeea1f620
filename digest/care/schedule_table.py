"""The `[schedule]` table of a newsletter file."""

from datetime import date

import pydantic

from digest.domain.calendar import Approval, Schedule, check_schedule
from digest.domain.calendar_text import parse_at, parse_duration, parse_zone
from digest.domain.policies import Policies, TooFew, Unapproved


class ScheduleTable(pydantic.BaseModel):
    """When the newsletter appears, as its file says it."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    at: str
    zone: str | None = None
    approval: Approval = Approval.REQUIRED
    collect_before: str = "2h"
    grace: str = "6h"
    start: date | None = None
    end: date | None = None
    unapproved: Unapproved = Unapproved.HOLD
    too_few: TooFew = TooFew.HOLD
    least: int = 1
    collect_again: str = "15m"

    def plan(self, time_zone: str) -> Schedule:
        """Return the schedule; its zone is the newsletter's unless it names one.

        Raises:
            UsageError: Nobody could follow it.
        """
        rhythm, at = parse_at(self.at)
        return check_schedule(
            Schedule(
                rhythm=rhythm,
                at=at,
                zone=parse_zone(self.zone or time_zone),
                approval=self.approval,
                collect_before=parse_duration(self.collect_before),
                grace=parse_duration(self.grace),
                start_on=self.start,
                end_on=self.end,
                policies=Policies(
                    unapproved=self.unapproved,
                    too_few=self.too_few,
                    least=self.least,
                    collect_again=parse_duration(self.collect_again),
                ),
            )
        )
