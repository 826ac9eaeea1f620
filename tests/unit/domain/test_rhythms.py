"""Rhythms: which dates are issue dates, written and in words."""

from calendar import monthrange
from collections import Counter
from datetime import date, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import example, given, strategies as st

from digest.domain.errors import UsageError
from digest.domain.rhythm_text import (
    describe_rhythm,
    parse_rhythm,
    write_ordinal,
    write_rhythm,
)
from digest.domain.rhythms import LAST, Rhythm, monthly, monthly_on, weekly

days = st.dates(date(1990, 1, 1), date(2060, 1, 1))
weekdays = st.sets(st.integers(0, 6), min_size=1).map(sorted)
places = st.sets(st.sampled_from([1, 2, 3, 4, LAST]), min_size=1).map(sorted)
monthdays = st.sets(st.integers(1, 31), min_size=1).map(sorted)
rhythms = (
    st.builds(lambda found: weekly(*found), weekdays)
    | st.builds(monthly_on, places, weekdays)
    | st.builds(lambda found: monthly(*found), monthdays)
)


def months(start: date, count: int) -> list[tuple[int, int]]:
    """So many whole months that follow a date's."""
    first = start.year * 12 + start.month
    return [divmod(first + n, 12) for n in range(count)]


def dates_in(rhythm: Rhythm, year: int, month: int) -> list[date]:
    last = monthrange(year, month + 1)[1]
    return list(rhythm.dates(date(year, month + 1, 1), date(year, month + 1, last)))


@given(rhythms)
def test_is_read_back_as_it_was_written(rhythm: Rhythm) -> None:
    assert parse_rhythm(write_rhythm(rhythm)) == rhythm


@given(weekdays, days)
def test_every_week_has_each_weekday_once(chosen: list[int], start: date) -> None:
    found = weekly(*chosen).dates(start, start + timedelta(days=69))

    assert Counter(day.weekday() for day in found) == dict.fromkeys(chosen, 10)


@given(st.integers(0, 6), st.sampled_from([1, 2, 3, 4, LAST]), days)
@example(3, 4, date(2024, 1, 31))
@example(3, LAST, date(2024, 1, 31))
def test_every_month_has_its_nth_weekday_once(
    weekday: int, place: int, start: date
) -> None:
    rhythm = monthly_on([place], [weekday])

    for year, month in months(start, 24):
        (day,) = dates_in(rhythm, year, month)
        same = dates_in(weekly(weekday), year, month)
        assert day == same[place - 1 if place > 0 else -1]


@given(monthdays, days)
@example([29, 30, 31], date(2023, 12, 31))
def test_a_short_month_has_its_last_day_for_those_it_lacks(
    chosen: list[int], start: date
) -> None:
    for year, month in months(start, 24):
        last = monthrange(year, month + 1)[1]

        found = [day.day for day in dates_in(monthly(*chosen), year, month)]

        assert found == sorted({min(day, last) for day in chosen})


@given(rhythms, days)
def test_before_and_after_are_the_neighbours(rhythm: Rhythm, start: date) -> None:
    first, second, third = islice(rhythm.dates(start), 3)

    assert (rhythm.before(second), rhythm.after(second)) == (first, third)
    assert rhythm.after(first - timedelta(days=1)) == first


@given(rhythms, days)
def test_no_gap_is_outside_its_bounds(rhythm: Rhythm, start: date) -> None:
    found = pairwise(islice(rhythm.dates(start), 60))

    gaps = [(later - day).days for day, later in found]

    assert rhythm.shortest_gap <= min(gaps)
    assert max(gaps) <= rhythm.longest_gap


@pytest.mark.parametrize(
    ("text", "read", "written", "words"),
    [
        ("Sunday", weekly(6), "Sun", "every Sunday"),
        ("thu, MON", weekly(0, 3), "Mon,Thu", "every Monday and Thursday"),
        ("Fri-Mon", weekly(0, 4, 5, 6), "Mon,Fri,Sat,Sun", None),
        ("Mon-Sun", weekly(*range(7)), "Mon,Tue,Wed,Thu,Fri,Sat,Sun", "every day"),
        (
            "First Sun",
            monthly_on([1], [6]),
            "first Sun",
            "on the first Sunday of each month",
        ),
        (
            "3rd,1st Tue Thu",
            monthly_on([1, 3], [1, 3]),
            "first,third Tue,Thu",
            "on the first and third Tuesday and Thursday of each month",
        ),
        ("last Fri", monthly_on([LAST], [4]), "last Fri", None),
        ("15th", monthly(15), "15th", "on the 15th of each month"),
        ("1st 15th", monthly(1, 15), "1st,15th", "on the 1st and 15th of each month"),
        (
            "30th",
            monthly(30),
            "30th",
            "on the 30th of each month (the last day of shorter months)",
        ),
        ("31st", monthly(31), "last day", "on the last day of each month"),
        ("last day", monthly(31), "last day", None),
        ("first day", monthly(1), "1st", None),
    ],
)
def test_reads_what_people_write(
    text: str, read: Rhythm, written: str, words: str | None
) -> None:
    found = parse_rhythm(text)

    assert found == read
    assert write_rhythm(found) == written
    assert words is None or describe_rhythm(found) == words


@pytest.mark.parametrize(
    ("text", "error", "mend"),
    [
        ("Mon,Snu", "'Snu' is no weekday.", "Did you mean Sun?"),
        ("Sun first", "'first' is no weekday.", "Write it as"),
        ("fifth Sun", "Not every month has so many of a Sunday", '"last Sun 19:00"'),
        ("5th Sun", "Not every month has so many of a Sunday", '"last Sun 19:00"'),
        ("32nd", "No month has all the days of '32nd'.", "1st to 31st"),
        ("0th", "No month has all the days of '0th'.", "1st to 31st"),
        ("last", "'last' leaves open which day.", '"last day 19:00"'),
        (",", "',' is no weekday.", "Write it as"),
    ],
)
def test_refuses_what_is_no_rhythm(text: str, error: str, mend: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_rhythm(text)

    assert error in caught.value.message
    assert mend in (caught.value.mend or "")


def test_ordinals_end_as_they_are_spoken() -> None:
    written = [write_ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 31)]

    assert written == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "13th"),
        *("21st", "22nd", "23rd", "31st"),
    ]
