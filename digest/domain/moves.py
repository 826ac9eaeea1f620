"""Whether single issues may go at another time: none overtakes another."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

from digest.domain.calendar import (
    DueIssue,
    ExceptionKind,
    IssueException,
    Schedule,
    is_issue_date,
    issue_of,
    make_issue,
)
from digest.domain.errors import StateError


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
    issue = make_issue(schedule, issue_date, moved)
    for neighbour, side in (
        (schedule.rhythm.before(issue_date), "after"),
        (schedule.rhythm.after(issue_date), "before"),
    ):
        bound = _bound(schedule, neighbour, latest=side == "after")
        if (issue.due <= bound.due) if side == "after" else (issue.due >= bound.due):
            raise StateError(
                f"The issue of {issue_date} cannot overtake that of {neighbour}.",
                f"Choose a time {side} {bound.local:%Y-%m-%d %H:%M}.",
            )
    return issue


def idle_exceptions(schedule: Schedule) -> Iterator[IssueException]:
    """Find the exceptions that no issue has, or whose time no longer fits."""
    usual = replace(schedule, exceptions=())
    for exception in schedule.exceptions:
        if not is_issue_date(schedule, exception.issue_date):
            yield exception
        elif exception.moved_to is not None:
            try:
                check_move(usual, exception.issue_date, exception.moved_to)
            except StateError:
                yield exception


def _bound(schedule: Schedule, day: date, *, latest: bool) -> DueIssue:
    """Return the later (or earlier) of an issue's usual time and its present one."""
    times = [make_issue(schedule, day, e) for e in (None, schedule.exception(day))]
    return sorted(times, key=lambda issue: issue.due)[-1 if latest else 0]
