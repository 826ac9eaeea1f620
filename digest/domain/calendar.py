"""When issues are due: a local date and time of a zone, as an instant (design rule 8).

A schedule names local dates. An instant is computed anew from (weekday, local time,
zone) each time it is asked for, so a change of a zone's rules needs no repair.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice
from zoneinfo import ZoneInfo

from digest.domain.errors import StateError, UsageError
from digest.domain.local_time import to_instant

WEEK = timedelta(days=7)
LONGEST_WAIT = timedelta(days=6)
"""Collecting earlier or waiting longer than this would reach into the next issue."""

WEEKDAYS = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
)

# A moved issue stays between its neighbours, which may have been moved themselves.
_REACH = 2 * WEEK + timedelta(days=2)


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
        weekday: 0 is Monday, as `date.weekday` counts.
        at: Local time.
        zone: IANA name.
        approval: Who lets an issue go.
        collect_before: How long before an issue is due its stories are collected.
        grace: How late an issue may still go without asking.
        start_on: The first issue date possible; None: any.
        end_on: The last issue date possible; None: any.
        enabled: Whether it is followed.
        exceptions: Issues that were moved or skipped.
    """

    weekday: int
    at: time
    zone: str
    approval: Approval = Approval.REQUIRED
    collect_before: timedelta = timedelta(hours=2)
    grace: timedelta = timedelta(hours=6)
    start_on: date | None = None
    end_on: date | None = None
    enabled: bool = True
    exceptions: tuple[IssueException, ...] = ()

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
        UsageError: A wait is negative or too long, or its dates are reversed.
    """
    for name, wait in (
        ("collect_before", schedule.collect_before),
        ("grace", schedule.grace),
    ):
        if not timedelta(0) <= wait <= LONGEST_WAIT:
            raise UsageError(
                f"The {name} time must be between 0 and {LONGEST_WAIT.days} days.",
                "Example: 2h",
            )
    start, end = schedule.start_on, schedule.end_on
    if start and end and end < start:
        raise UsageError(f"The end {end} is before the start {start}.", "Swap them.")
    if start and end and not next(_dates(schedule, start), None):
        raise UsageError(
            f"No {WEEKDAYS[schedule.weekday]} lies between {start} and {end}.",
            "Choose a later end.",
        )
    return schedule


def issues_between(
    schedule: Schedule, start: datetime, end: datetime
) -> Sequence[DueIssue]:
    """Return the issues due from `start` until before `end`, in order.

    Whether the schedule is enabled does not matter here.
    """
    clock = ZoneInfo(schedule.zone)
    last = (end.astimezone(clock) + _REACH).date()
    found = []
    for issue in _walk(schedule, start):
        if issue.issue_date > last:
            break
        if start <= issue.due < end:
            found.append(issue)
    return sorted(found, key=lambda issue: issue.due)


def next_issues(
    schedule: Schedule, start: datetime, count: int = 1
) -> Sequence[DueIssue]:
    """Return the next issues due at or after `start`, at most `count`, in order."""
    # A few more, because a moved issue may stand out of its place.
    reach = 2 * _REACH // WEEK
    later = (issue for issue in _walk(schedule, start) if issue.due >= start)
    found = sorted(islice(later, count + reach), key=lambda issue: issue.due)
    return found[:count]


def issue_of(schedule: Schedule, issue_date: date) -> DueIssue:
    """Return the issue of one local date, whether or not it is skipped.

    Raises:
        UsageError: The schedule has no issue on that date; names the nearest ones.
    """
    if issue_date not in _dates(schedule, issue_date, issue_date):
        raise UsageError(
            f"The schedule has no issue on {issue_date}"
            f" ({WEEKDAYS[issue_date.weekday()]}).",
            _name_nearest(schedule, issue_date),
        )
    return _issue(schedule, issue_date, schedule.exception(issue_date))


def check_move(schedule: Schedule, issue_date: date, to: datetime) -> DueIssue:
    """Check that an issue may go at another local time.

    Args:
        schedule: The schedule as it stands.
        issue_date: The issue.
        to: Local time without zone.

    Returns:
        The issue as it will be.

    Raises:
        UsageError: The schedule has no issue on that date.
        StateError: It would overtake its neighbour.
    """
    issue_of(schedule, issue_date)
    moved = IssueException(issue_date=issue_date, kind=ExceptionKind.MOVED, moved_to=to)
    issue = _issue(schedule, issue_date, moved)
    for neighbour, side in (
        (issue_date - WEEK, "after"),
        (issue_date + WEEK, "before"),
    ):
        bound = _bound(schedule, neighbour, latest=side == "after")
        if (issue.due <= bound.due) if side == "after" else (issue.due >= bound.due):
            raise StateError(
                f"The issue of {issue_date} cannot overtake that of {neighbour}.",
                f"Choose a time {side} {bound.local:%Y-%m-%d %H:%M}.",
            )
    return issue


def _bound(schedule: Schedule, day: date, *, latest: bool) -> DueIssue:
    """Return the later (or earlier) of an issue's usual time and its present one."""
    times = [_issue(schedule, day, e) for e in (None, schedule.exception(day))]
    return sorted(times, key=lambda issue: issue.due)[-1 if latest else 0]


def _walk(schedule: Schedule, start: datetime) -> Iterator[DueIssue]:
    """Go through the issues that appear, from well before `start`, by issue date."""
    skipped: list[str] = []
    around = (start - _REACH).astimezone(ZoneInfo(schedule.zone)).date()
    for day in _dates(schedule, around):
        exception = schedule.exception(day)
        if exception and exception.kind is ExceptionKind.SKIPPED:
            skipped.append(f"{day} is skipped")
            continue
        yield _issue(schedule, day, exception, notes=skipped)
        skipped = []


def _dates(schedule: Schedule, first: date, last: date | None = None) -> Iterator[date]:
    first = max(first, schedule.start_on or first)
    last = min(last or date.max, schedule.end_on or date.max)
    day = first.toordinal() + (schedule.weekday - first.weekday()) % WEEK.days
    while day <= last.toordinal():
        yield date.fromordinal(day)
        day += WEEK.days


def _issue(
    schedule: Schedule,
    issue_date: date,
    exception: IssueException | None,
    *,
    notes: Sequence[str] = (),
) -> DueIssue:
    local = datetime.combine(issue_date, schedule.at)
    said = list(notes)
    if exception and exception.moved_to:
        said.append(f"moved from {local:%Y-%m-%d %H:%M}")
        local = exception.moved_to
    due, unusual = to_instant(local, schedule.zone)
    return DueIssue(
        issue_date=issue_date,
        due=due,
        local=due.astimezone(ZoneInfo(schedule.zone)),
        note="; ".join([*said, unusual] if unusual else said),
    )


def _name_nearest(schedule: Schedule, day: date) -> str:
    around = _dates(schedule, day - 2 * WEEK, day + 2 * WEEK)
    near = sorted(around, key=lambda other: abs(other - day))[:2]
    if not near:
        return "No issue date is near; see: digest schedules list"
    return f"Nearest: {' and '.join(str(other) for other in sorted(near))}."
