"""Lines that say when a page was published."""

from datetime import date

import pytest
from hypothesis import given, strategies as st

from digest.domain.datelines import find_date, read_date_line

DAY = date(2024, 5, 12)


@pytest.mark.parametrize(
    "line",
    [
        "May 12, 2024",
        "12 May 2024",
        "12 May, 2024",
        "Sunday, May 12th, 2024",
        "Sun 12 May 2024, 14:30 EEST",
        "Published: May 12, 2024 at 3:45 pm",
        "Posted on 12 May 2024",
        "Last updated on May 12, 2024 | 10:30 AM",
        "2024-05-12",
        "2024-05-12T10:15:00+03:00",
        "2024/05/12",
        "12/05/2024",
        "12.05.2024",
        "05/13/2024".replace("13", "12"),
        "١٢ مايو ٢٠٢٤",
        "نشر في: الأحد 12 مايو 2024",
        "12-May-2024",
    ],
)
def test_reads_a_date_line(line: str) -> None:
    assert read_date_line(line) in {DAY, date(2024, 12, 5)}


def test_reads_a_day_beyond_twelve_in_either_place() -> None:
    assert read_date_line("13/05/2024") == read_date_line("05/13/2024")


@pytest.mark.parametrize(
    "line",
    [
        "The ferry stopped on 12 May 2024.",
        "May 12, 2024 was a Sunday like any other",
        "2024",
        "31 February 2024",
        "12 May 1024",
        "99/99/2024",
        "May",
        "",
        "x" * 100 + " 12 May 2024",
    ],
)
def test_leaves_other_lines_alone(line: str) -> None:
    assert read_date_line(line) is None


def test_finds_a_date_inside_a_text() -> None:
    assert find_date("Filed from Cairo on 12 May 2024 by wire") == DAY


@given(st.dates(date(1990, 1, 1), date(2099, 12, 31)))
def test_reads_every_day_spelled_out(day: date) -> None:
    assert read_date_line(f"{day:%B} {day.day}, {day.year}") == day


@given(st.text(max_size=90))
def test_never_fails(text: str) -> None:
    read_date_line(text)
