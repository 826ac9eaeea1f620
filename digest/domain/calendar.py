"""When issues are due: a local date and time of a zone, as an instant (design rule 8).

A schedule names local dates. An instant is computed anew from (local date, local time,
zone) each time it is asked for, so a change of a zone's rules needs no repair.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from digest.domain.clock_changes import describe_change
from digest.domain.errors import UsageError
from digest.domain.local_time import to_instant
from digest.domain.policies import Policies, check_policies
from digest.domain.rhythm_text import WEEKDAYS
from digest.domain.rhythms import Rhythm

WEEK = timedelta(days=7)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class Approval(StrEnum):
    """Who lets an issue go."""

    AUTO = "auto"  # preflight without errors is enough
    REQUIRED = "required"  # a person approves; the schedule waits for that


class ExceptionKind(StrEnum):
    """What is different about one issue."""

    MOVED = "moved"  # goes at another local time
    SKIPPED = "skipped"  # does not appear


@dataclass(frozen=True, kw_only=True)
class IssueException:
    """One issue that does not follow its schedule.

    Attributes:
        issue_date: The local date the schedule gives it; it keeps that date.
        kind: What is different.
        moved_to: Local time without zone, for moved issues.
    """

    issue_date: date
    kind: ExceptionKind
    moved_to: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a newsletter appears.

    Attributes:
        rhythm: Which local dates are issue dates.
        at: Local time.
        zone: IANA name.
        approval: Who lets an issue go.
        collect_before: How long before an issue is due its stories are collected.
        grace: How late an issue may still go without asking.
        start_on: The first issue date possible; None: any.
        end_on: The last issue date possible; None: any.
        enabled: Whether it is followed.
        policies: What happens when an issue is not as it should be.
        exceptions: Issues that were moved or skipped.
    """

    rhythm: Rhythm
    at: time
    zone: str
    approval: Approval = Approval.REQUIRED
    collect_before: timedelta = timedelta(hours=2)
    grace: timedelta = timedelta(hours=6)
    start_on: date | None = None
    end_on: date | None = None
    enabled: bool = True
    policies: Policies = field(default_factory=Policies)
    exceptions: tuple[IssueException, ...] = ()

    @property
    def collect_again(self) -> timedelta:
        """How long before an issue is due its stories are looked at once more."""
        return min(self.policies.collect_again, self.collect_before)

    def exception(self, issue_date: date) -> IssueException | None:
        """Return what is different about one issue."""
        return next((e for e in self.exceptions if e.issue_date == issue_date), None)


@dataclass(frozen=True, kw_only=True)
class DueIssue:
    """One issue and its instant.

    Attributes:
        issue_date: The local date that names it.
        due: When it goes to the post, UTC.
        local: The same instant on the schedule's clock.
        note: What is unusual about it, for people; else empty.
    """

    issue_date: date
    due: datetime
    local: datetime
    note: str = ""


def check_schedule(schedule: Schedule) -> Schedule:
    """Refuse a schedule that cannot be followed.

    Raises:
        UsageError: A wait is negative or too long, its dates are reversed, or too
            many stories are asked for.
    """
    check_policies(schedule.policies)
    longest = schedule.rhythm.longest_wait
    for name, wait in (
        ("collect_before", schedule.collect_before),
        ("grace", schedule.grace),
    ):
        if not timedelta(0) <= wait <= longest:
            raise UsageError(
                f"The {name} time must be between 0 and {_in_words(longest)}.",
                "Example: 2h",
            )
    start, end = schedule.start_on, schedule.end_on
    if start and end and end < start:
        raise UsageError(f"The end {end} is before the start {start}.", "Swap them.")
    if start and end and not next(_dates(schedule, start), None):
        raise UsageError(
            f"No issue date lies between {start} and {end}.",
            "Choose a later end.",
        )
    return schedule


def issues_between(
    schedule: Schedule, start: datetime, end: datetime
) -> Sequence[DueIssue]:
    """Return the issues due from `start` until before `end`, in order.

    Whether the schedule is enabled does not matter here.
    """
    last = (end.astimezone(ZoneInfo(schedule.zone)) + _reach(schedule)).date()
    found = [
        issue for issue in _walk(schedule, start, last) if start <= issue.due < end
    ]
    return sorted(found, key=lambda issue: issue.due)


def next_issues(
    schedule: Schedule, start: datetime, count: int = 1
) -> Sequence[DueIssue]:
    """Return the next issues due at or after `start`, at most `count`, in order."""
    found: list[DueIssue] = []
    for issue in _walk(schedule, start):
        # A moved issue may stand out of its place, so it looks a little further.
        if len(found) >= count and issue.due > found[count - 1].due + _reach(schedule):
            break
        if issue.due >= start:
            found.append(issue)
            found.sort(key=lambda one: one.due)
    return found[:count]


def is_issue_date(schedule: Schedule, day: date) -> bool:
    """Whether the schedule has an issue on a date, also if it is skipped."""
    return next(_dates(schedule, day, day), None) is not None


def issue_of(schedule: Schedule, issue_date: date) -> DueIssue:
    """Return the issue of one local date, whether or not it is skipped.

    Raises:
        UsageError: The schedule has no issue on that date; names the nearest ones.
    """
    if not is_issue_date(schedule, issue_date):
        raise UsageError(
            f"The schedule has no issue on {issue_date}"
            f" ({WEEKDAYS[issue_date.weekday()]}).",
            _name_nearest(schedule, issue_date),
        )
    return make_issue(schedule, issue_date, schedule.exception(issue_date))


def _walk(
    schedule: Schedule, start: datetime, last: date | None = None
) -> Iterator[DueIssue]:
    """Go through the issues that appear, from well before `start`, by issue date."""
    skipped: list[str] = []
    around = (start - _reach(schedule)).astimezone(ZoneInfo(schedule.zone)).date()
    for day in _dates(schedule, around, last):
        exception = schedule.exception(day)
        if exception and exception.kind is ExceptionKind.SKIPPED:
            skipped.append(f"{day} is skipped")
            continue
        yield make_issue(schedule, day, exception, notes=skipped)
        skipped = []


def _reach(schedule: Schedule) -> timedelta:
    """Return how far from its usual time an issue may go, and some days more.

    A moved issue stays between its neighbours, which may have been moved themselves.
    """
    return timedelta(days=2 * schedule.rhythm.longest_gap + 2)


def _dates(schedule: Schedule, first: date, last: date | None = None) -> Iterator[date]:
    first = max(first, schedule.start_on or first)
    last = min(last or date.max, schedule.end_on or date.max)
    return schedule.rhythm.dates(first, last)


def make_issue(
    schedule: Schedule,
    issue_date: date,
    exception: IssueException | None,
    *,
    notes: Sequence[str] = (),
) -> DueIssue:
    """Return the issue of a date as it is with an exception, or without.

    Args:
        schedule: When issues appear; its own exceptions count for other dates.
        issue_date: An issue date of the schedule.
        exception: What is different about this one.
        notes: What else is to be said about it.
    """
    local = datetime.combine(issue_date, schedule.at)
    said = list(notes)
    if exception and exception.moved_to:
        said.append(f"moved from {local:%Y-%m-%d %H:%M}")
        local = exception.moved_to
    due, unusual = to_instant(local, schedule.zone)
    before = _issue_before(schedule, issue_date)
    if before >= (schedule.start_on or before):
        usual, _ = to_instant(datetime.combine(before, schedule.at), schedule.zone)
        said.append(describe_change(usual, due, schedule.zone))
    said.append(unusual)
    return DueIssue(
        issue_date=issue_date,
        due=due,
        local=due.astimezone(ZoneInfo(schedule.zone)),
        note="; ".join(filter(None, said)),
    )


def _issue_before(schedule: Schedule, day: date) -> date:
    """Return the issue date before one that was not skipped."""
    skipped = {
        e.issue_date for e in schedule.exceptions if e.kind is ExceptionKind.SKIPPED
    }
    found = schedule.rhythm.before(day)
    while found in skipped:
        found = schedule.rhythm.before(found)
    return found


def _name_nearest(schedule: Schedule, day: date) -> str:
    reach = _reach(schedule)
    around = _dates(schedule, day - reach, day + reach)
    near = sorted(around, key=lambda other: abs(other - day))[:2]
    if not near:
        return "No issue date is near; see: digest schedules list"
    return f"Nearest: {' and '.join(str(other) for other in sorted(near))}."


def _in_words(wait: timedelta) -> str:
    if wait >= 2 * _DAY:
        return f"{wait // _DAY} days"
    return f"{wait // _HOUR} hours"
