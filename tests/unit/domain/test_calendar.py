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
    Schedule,
    check_schedule,
    issue_of,
    issues_between,
    next_issues,
)
from digest.domain.errors import UsageError
from digest.domain.rhythms import LAST, Rhythm, monthly, monthly_on, weekly
from tests.calendars import CAIRO, SUNDAY, WEEK, moved, skipped

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


def starts_in(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


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


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(
        [monthly(31), monthly(1, 15), monthly_on([LAST], [4]), weekly(0, 3)]
    ),
    times | half_hours,
    zones,
    starts,
)
@example(monthly_on([LAST], [3]), time(23, 30), "Africa/Cairo", starts_in(2022))
@example(monthly_on([LAST], [4]), time(0, 0), "Africa/Cairo", starts_in(2022))
@example(monthly(30), time(12, 0), "Pacific/Apia", starts_in(2010))
@example(weekly(*range(7)), time(2, 15), "Australia/Lord_Howe", starts_in(2020))
def test_gives_one_issue_to_each_date_of_any_rhythm_for_ten_years(
    rhythm: Rhythm, at: time, zone: str, start: datetime
) -> None:
    schedule = Schedule(rhythm=rhythm, at=at, zone=zone)

    found = one_a_week(schedule, start)

    dates = [issue.issue_date for issue in found]
    dues = [issue.due for issue in found]
    assert dates == list(rhythm.dates(dates[0], dates[-1]))
    # A whole day that a zone left out has its issue at the next day's first moment.
    assert all(a <= b for a, b in pairwise(dues))
    assert all(
        issue.local.replace(tzinfo=None) >= datetime.combine(issue.issue_date, at)
        for issue in found
    )


CAIRO_CHANGES = [
    # The clocks went from 00:00 to 01:00 at the start of a Friday in April …
    (4, time(0, 30), "2024-04-26", "2024-04-25T22:00", "01:00"),
    (3, time(23, 30), "2024-04-25", "2024-04-25T21:30", "23:30"),
    (4, time(0, 30), "2026-04-24", "2026-04-23T22:00", "01:00"),
    (3, time(23, 30), "2026-04-23", "2026-04-23T21:30", "23:30"),
    # … and from 24:00 of a Thursday in October to 23:00.
    (3, time(23, 30), "2024-10-31", "2024-10-31T20:30", "23:30"),
    (4, time(0, 30), "2024-11-01", "2024-10-31T22:30", "00:30"),
    (3, time(23, 30), "2026-10-29", "2026-10-29T20:30", "23:30"),
    (4, time(0, 30), "2026-10-30", "2026-10-29T22:30", "00:30"),
]


@pytest.mark.parametrize(("weekday", "at", "day", "utc", "shown"), CAIRO_CHANGES)
def test_an_issue_at_half_an_hour_from_cairos_midnight_changes(
    weekday: int, at: time, day: str, utc: str, shown: str
) -> None:
    schedule = replace(CAIRO, rhythm=weekly(weekday), at=at)

    issue = issue_of(schedule, date.fromisoformat(day))

    assert issue.due == datetime.fromisoformat(f"{utc}+00:00")
    assert f"{issue.local:%H:%M}" == shown


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


@pytest.mark.parametrize(
    ("rhythm", "day", "first"),
    [
        (weekly(6), SUNDAY, "2026-11-23"),
        (weekly(6), SUNDAY + WEEK / 7, "2026-11-24"),
        (weekly(0, 3), date(2026, 11, 26), "2026-11-20"),
        (monthly(15), date(2026, 11, 15), "2026-10-16"),
        (monthly_on([1], [6]), date(2026, 12, 6), "2026-11-02"),
    ],
)
def test_an_issue_carries_a_week_or_all_since_the_one_before(
    rhythm: Rhythm, day: date, first: str
) -> None:
    assert rhythm.days_covered(day) == (date.fromisoformat(first), day)


@pytest.mark.parametrize(
    ("rhythm", "hours", "words"),
    [
        (weekly(6), 144, "6 days"),
        (weekly(0, 3), 48, "2 days"),
        (weekly(0, 1), 20, "20 hours"),
        (monthly(30, 1), 20, "20 hours"),
    ],
)
def test_no_wait_reaches_the_next_issue(rhythm: Rhythm, hours: int, words: str) -> None:
    limit = timedelta(hours=hours)
    schedule = replace(CAIRO, rhythm=rhythm, grace=limit)

    assert check_schedule(schedule) == schedule
    with pytest.raises(UsageError, match=f"between 0 and {words}"):
        check_schedule(replace(schedule, grace=limit + timedelta(minutes=1)))


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
