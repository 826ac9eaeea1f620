"""The calendar: one issue a week, whatever the clocks of a zone do."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import available_timezones

import pytest
from hypothesis import example, given, settings, strategies as st

from digest.domain.calendar import (
    DueIssue,
    ExceptionKind,
    IssueException,
    Schedule,
    check_move,
    check_schedule,
    issue_of,
    issues_between,
    next_issues,
)
from digest.domain.errors import StateError, UsageError
from digest.domain.rhythms import weekly

CAIRO = Schedule(rhythm=weekly(6), at=time(19, 0), zone="Africa/Cairo")
SUNDAY = date(2026, 11, 29)
WEEK = timedelta(days=7)
TEN_YEARS = 520 * WEEK

odd_zones = st.sampled_from(
    [
        "Africa/Cairo",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "America/Nuuk",
        "Asia/Beirut",
        "Africa/Casablanca",
    ]
)
zones = odd_zones | st.sampled_from(sorted(available_timezones()))
times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
half_hours = st.builds(time, st.integers(0, 3), st.sampled_from([0, 30]))
starts = st.datetimes(
    datetime.fromisoformat("1990-01-01"),
    datetime.fromisoformat("2060-01-01"),
    timezones=st.just(UTC),
)


def moved(day: date, to: datetime) -> IssueException:
    return IssueException(issue_date=day, kind=ExceptionKind.MOVED, moved_to=to)


def skipped(day: date) -> IssueException:
    return IssueException(issue_date=day, kind=ExceptionKind.SKIPPED)


def one_a_week(schedule: Schedule, start: datetime) -> list[DueIssue]:
    """Ten years of issues."""
    return list(issues_between(schedule, start, start + TEN_YEARS))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 6), times | half_hours, zones, starts)
@example(4, time(19, 0), "Pacific/Apia", datetime(2008, 1, 1, tzinfo=UTC))
@example(4, time(0, 0), "Africa/Cairo", datetime(2022, 1, 1, tzinfo=UTC))
@example(3, time(23, 30), "Africa/Cairo", datetime(2022, 1, 1, tzinfo=UTC))
@example(6, time(2, 15), "Australia/Lord_Howe", datetime(2020, 1, 1, tzinfo=UTC))
@example(6, time(2, 30), "Europe/Berlin", datetime(2020, 1, 1, tzinfo=UTC))
@example(6, time(1, 30), "America/New_York", datetime(2020, 1, 1, tzinfo=UTC))
def test_gives_one_issue_to_each_of_520_weeks_in_order(
    weekday: int, at: time, zone: str, start: datetime
) -> None:
    schedule = Schedule(rhythm=weekly(weekday), at=at, zone=zone)

    found = one_a_week(schedule, start)

    dates = [issue.issue_date for issue in found]
    dues = [issue.due for issue in found]
    # A zone that changes its clocks may push one issue over either edge.
    assert 519 <= len(found) <= 521
    assert {later - day for day, later in pairwise(dates)} == {WEEK}
    assert all(a < b for a, b in pairwise(dues))
    assert {day.weekday() for day in dates} == {weekday}


def test_a_leap_day_is_an_issue_date_like_any_other() -> None:
    thursdays = replace(CAIRO, rhythm=weekly(3))

    issue = issue_of(thursdays, date(2024, 2, 29))

    assert issue.due == datetime(2024, 2, 29, 17, tzinfo=UTC)


def test_an_issue_due_at_the_start_counts_and_one_at_the_end_does_not() -> None:
    due = issue_of(CAIRO, SUNDAY).due

    found = issues_between(CAIRO, due, due + WEEK)

    assert [issue.issue_date for issue in found] == [SUNDAY]


def test_start_and_end_dates_bound_the_issues() -> None:
    bounded = replace(CAIRO, start_on=SUNDAY + WEEK, end_on=SUNDAY + 2 * WEEK)

    found = next_issues(bounded, datetime(2026, 1, 1, tzinfo=UTC), 9)

    assert [i.issue_date for i in found] == [SUNDAY + WEEK, SUNDAY + 2 * WEEK]


def test_a_skipped_issue_is_left_out_and_the_next_one_says_so() -> None:
    schedule = replace(CAIRO, exceptions=(skipped(SUNDAY),))

    first, second = next_issues(schedule, datetime(2026, 11, 24, tzinfo=UTC), 2)

    assert (first.issue_date, first.note) == (SUNDAY + WEEK, "2026-11-29 is skipped")
    assert second.note == ""


def test_a_moved_issue_keeps_its_date() -> None:
    monday = datetime.fromisoformat("2026-11-30 08:30")
    schedule = replace(CAIRO, exceptions=(moved(SUNDAY, monday),))

    (issue,) = next_issues(schedule, datetime(2026, 11, 29, 20, tzinfo=UTC))

    assert issue.issue_date == SUNDAY
    assert issue.due == datetime(2026, 11, 30, 6, 30, tzinfo=UTC)
    assert issue.note == "moved from 2026-11-29 19:00"


@given(st.integers(-20, 20), st.integers(-20, 20))
def test_moves_never_change_the_order_of_issues(first: int, second: int) -> None:
    schedule, days = CAIRO, (SUNDAY, SUNDAY + WEEK)
    for day, hours in zip(days, (first * 9, second * 9), strict=True):
        to = datetime.combine(day, CAIRO.at) + timedelta(hours=hours)
        try:
            check_move(schedule, day, to)
        except StateError:
            continue
        exceptions = (*schedule.exceptions, moved(day, to))
        schedule = replace(schedule, exceptions=exceptions)

    found = next_issues(schedule, datetime(2026, 11, 1, tzinfo=UTC), 8)

    assert [i.issue_date for i in found] == sorted({i.issue_date for i in found})
    assert len(found) == 8


def test_refuses_a_move_past_a_neighbour_that_was_moved_itself() -> None:
    saturday = datetime.fromisoformat("2026-12-05 10:00")
    schedule = replace(CAIRO, exceptions=(moved(SUNDAY + WEEK, saturday),))

    with pytest.raises(StateError) as caught:
        check_move(schedule, SUNDAY, datetime.fromisoformat("2026-12-05 11:00"))

    assert caught.value.mend == "Choose a time before 2026-12-05 10:00."


def test_refuses_a_move_before_the_last_issue() -> None:
    with pytest.raises(StateError, match="after 2026-11-22 19:00"):
        check_move(CAIRO, SUNDAY, datetime.fromisoformat("2026-11-22 19:00"))


def test_names_the_nearest_issue_dates() -> None:
    with pytest.raises(UsageError) as caught:
        issue_of(CAIRO, date(2026, 12, 2))

    assert caught.value.mend == "Nearest: 2026-11-29 and 2026-12-06."


def test_says_where_no_issue_date_is_near() -> None:
    ended = replace(CAIRO, end_on=date(2020, 1, 1))

    with pytest.raises(UsageError, match="No issue date is near"):
        issue_of(ended, SUNDAY)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"grace": timedelta(days=7)}, "grace"),
        ({"collect_before": -timedelta(hours=1)}, "collect_before"),
        ({"start_on": SUNDAY, "end_on": SUNDAY - WEEK}, "before the start"),
        (
            {"start_on": SUNDAY + WEEK / 7, "end_on": SUNDAY + 2 * WEEK / 7},
            "No issue date lies between",
        ),
    ],
)
def test_refuses_a_schedule_nobody_can_follow(
    change: dict[str, Any], word: str
) -> None:
    schedule = replace(CAIRO, **change)

    with pytest.raises(UsageError, match=word):
        check_schedule(schedule)


def test_accepts_an_ordinary_schedule() -> None:
    bounded = replace(CAIRO, start_on=SUNDAY, end_on=SUNDAY)

    assert check_schedule(bounded) == bounded
