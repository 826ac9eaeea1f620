"""What people write about schedules is read, or refused with the mend."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, strategies as st

from digest.domain.calendar_text import (
    parse_at,
    parse_date,
    parse_duration,
    parse_instant,
    parse_local,
    parse_zone,
    write_duration,
)
from digest.domain.errors import UsageError
from digest.domain.rhythms import Rhythm, weekly

SUNDAY = date(2026, 11, 29)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Sun 19:00", (weekly(6), time(19, 0))),
        ("monday  7:05", (weekly(0), time(7, 5))),
        (" THURS 00:00 ", (weekly(3), time(0, 0))),
    ],
)
def test_reads_a_weekday_and_a_time(text: str, read: tuple[Rhythm, time]) -> None:
    assert parse_at(text) == read


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Sum 19:00", "Did you mean Sun?"),
        ("T 19:00", "Write it as"),
        ("19:00", "says no day"),
        ("Sun 25:00", "no time of day"),
        ("Sun 7pm", "no time of day"),
        ("Sun", "says no time of day"),
        ("", "says no day"),
    ],
)
def test_refuses_other_weekdays_and_times(text: str, word: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_at(text)

    assert word in str(caught.value)


@given(st.integers(0, 10**6))
def test_reads_back_every_length_it_writes(seconds: int) -> None:
    length = timedelta(seconds=seconds)

    assert parse_duration(write_duration(length)) == length


@pytest.mark.parametrize("text", ["", "2", "h", "-2h", "2 weeks", "²h", "9999999h"])
def test_refuses_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(UsageError, match="no length of time"):
        parse_duration(text)


@given(st.text(max_size=30))
def test_never_fails_otherwise_on_any_text(text: str) -> None:
    for parse in (parse_at, parse_duration, parse_date, parse_zone):
        try:
            parse(text)
        except UsageError as error:
            assert error.mend  # noqa: PT017 - the good path returns


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Africa/Cario", "Africa/Cairo"),
        ("africa/cairo", "Africa/Cairo"),
        ("cairo", "Africa/Cairo"),
        ("New York", "America/New_York"),
    ],
)
def test_suggests_the_zone_that_was_meant(text: str, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_zone(text)

    assert caught.value.mend == f"Did you mean {meant}?"


@pytest.mark.parametrize("text", ["", "Africa", "../../etc/passwd", "zzzzzz"])
def test_refuses_what_is_no_zone(text: str) -> None:
    with pytest.raises(UsageError, match="no time zone"):
        parse_zone(text)


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("20:00", "2026-11-29T20:00"),
        ("2026-11-30 08:30", "2026-11-30T08:30"),
        ("2026-11-29T20:00+00:00", "2026-11-29T22:00"),
    ],
)
def test_reads_a_local_time_in_every_form(text: str, local: str) -> None:
    found = parse_local(text, day=SUNDAY, zone="Africa/Cairo")

    assert found == datetime.fromisoformat(local)


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-02-30 10:00", "9999-12-31"])
def test_refuses_what_is_no_time(text: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        parse_local(text, day=SUNDAY, zone="Africa/Cairo")


@pytest.mark.parametrize(
    ("text", "hour"),
    [("2026-11-29", 22), ("2026-11-29T00:00Z", 0)],
)
def test_an_instant_without_offset_is_local(text: str, hour: int) -> None:
    found = parse_instant(text, zone="Africa/Cairo")

    assert (found.hour, found.tzinfo) == (hour, UTC)
