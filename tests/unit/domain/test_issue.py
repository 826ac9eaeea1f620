"""Issue dates as they are counted and as they are written."""

from datetime import UTC, date, datetime

import pytest

from digest.domain.issue import (
    days_of,
    local_date,
    reading_minutes,
    write_date,
    write_figures,
)


def test_it_is_already_tomorrow_in_cairo() -> None:
    late = datetime(2024, 5, 11, 21, 30, tzinfo=UTC)

    assert local_date(late, "Africa/Cairo") == date(2024, 5, 12)


def test_an_issue_covers_seven_days_that_end_with_its_own() -> None:
    assert days_of(date(2024, 5, 12)) == (date(2024, 5, 6), date(2024, 5, 12))


@pytest.mark.parametrize(("words", "minutes"), [(0, 1), (200, 1), (310, 2), (900, 4)])
def test_reads_two_hundred_words_a_minute(words: int, minutes: int) -> None:
    assert reading_minutes(words) == minutes


@pytest.mark.parametrize(
    ("language", "digits", "written"),
    [
        ("en", "latn", "Sunday 12 May 2024"),
        ("en-GB", "latn", "Sunday 12 May 2024"),
        ("fr", "latn", "dimanche 12 mai 2024"),
        ("ar", "arab", "الأحد، ١٢ مايو ٢٠٢٤"),
    ],
)
def test_writes_dates_as_readers_do(language: str, digits: str, written: str) -> None:
    assert write_date(date(2024, 5, 12), language=language, digits=digits) == written


def test_leaves_latin_figures_alone() -> None:
    assert write_figures("No. 19", digits="latn") == "No. 19"
