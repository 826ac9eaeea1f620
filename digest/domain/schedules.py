"""A newsletter's schedule as it is kept: what was asked for, and how far it got."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from digest.domain.calendar import WEEK, Schedule
from digest.domain.policies import describe_policies
from digest.domain.rhythm_text import write_rhythm

MEMORY = 5 * WEEK
"""How far back missed issues are asked about, and how far a mark reaches."""


class Step(StrEnum):
    """What is done once for each issue."""

    COLLECTED_AGAIN = "collected-again"  # sources were read once more
    LOOKED_UP = "looked-up"  # the stories' own pages were
    ASKED_LATE = "asked-late"  # an operator was asked whether it still goes


@dataclass(frozen=True, kw_only=True)
class KeptSchedule:
    """A schedule as it is stored.

    Attributes:
        id: Row id.
        newsletter_id: Whose it is.
        plan: What was asked for.
        since: Issues due before this instant are not its business.
        collected_for: The last issue whose stories were collected.
        late_for: The last issue that was found too late to go by itself.
        trouble: Why the present issue does not go; None: nothing known.
    """

    id: int
    newsletter_id: int
    plan: Schedule
    since: datetime
    collected_for: date | None
    late_for: date | None
    trouble: str | None

    def has_collected(self, issue_date: date) -> bool:
        """Whether the stories of an issue were collected."""
        return _reaches(self.collected_for, issue_date)


def describe(plan: Schedule) -> dict[str, Any]:
    """Return a plan as the audit log shows it: plain values, durations in seconds."""
    return {
        "days": write_rhythm(plan.rhythm),
        "local_time": plan.at.isoformat("minutes"),
        "zone": plan.zone,
        "approval": plan.approval,
        "collect_before": int(plan.collect_before.total_seconds()),
        "grace": int(plan.grace.total_seconds()),
        "start_on": plan.start_on and str(plan.start_on),
        "end_on": plan.end_on and str(plan.end_on),
        "enabled": plan.enabled,
        **describe_policies(plan.policies),
    }


def _reaches(mark: date | None, issue_date: date) -> bool:
    # A mark far ahead was made while the host's clock was wrong.
    return mark is not None and issue_date <= mark <= issue_date + MEMORY
