"""A weekly of Cairo, and single issues of it that were moved or skipped."""

from datetime import date, datetime, time, timedelta

from digest.domain.calendar import ExceptionKind, IssueException, Schedule
from digest.domain.rhythms import weekly

CAIRO = Schedule(rhythm=weekly(6), at=time(19, 0), zone="Africa/Cairo")
SUNDAY = date(2026, 11, 29)
WEEK = timedelta(days=7)


def moved(day: date, to: datetime) -> IssueException:
    return IssueException(issue_date=day, kind=ExceptionKind.MOVED, moved_to=to)


def skipped(day: date) -> IssueException:
    return IssueException(issue_date=day, kind=ExceptionKind.SKIPPED)
