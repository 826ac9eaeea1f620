"""Local times: every one is some instant, however a zone's clock jumps."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings, strategies as st

from digest.domain.local_time import to_instant

odd_zones = st.sampled_from(
    ["Africa/Cairo", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Beirut"]
)
zones = odd_zones | st.sampled_from(sorted(available_timezones()))
half_hours = st.builds(time, st.integers(0, 3), st.sampled_from([0, 30]))
times = half_hours | st.builds(time, st.integers(0, 23), st.integers(0, 59))
starts = st.datetimes(
    datetime.fromisoformat("1990-01-01"),
    datetime.fromisoformat("2060-01-01"),
    timezones=st.just(UTC),
)


@settings(max_examples=60, deadline=None)
@given(zones, starts, times)
def test_the_instant_is_the_first_at_which_the_clock_shows_the_time_or_later(
    zone: str, day: datetime, at: time
) -> None:
    local = datetime.combine(day.date(), at)

    instant, note = to_instant(local, zone)

    shown = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    second_before = instant - timedelta(seconds=1)
    shown_before = second_before.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert shown >= local
    assert shown_before < local
    assert (shown == local) or "does not exist" in note


@pytest.mark.parametrize(
    ("zone", "local", "utc", "word"),
    [
        # Cairo's clocks change at midnight: forward on the last Friday of April,
        # back on the last Thursday of October.
        ("Africa/Cairo", "2024-04-26T00:00", "2024-04-25T22:00", "01:00 instead"),
        ("Africa/Cairo", "2024-04-26T00:30", "2024-04-25T22:00", "01:00 instead"),
        ("Africa/Cairo", "2024-10-31T23:30", "2024-10-31T20:30", "twice"),
        ("Africa/Cairo", "2024-05-12T19:00", "2024-05-12T16:00", ""),
        ("Europe/Berlin", "2025-03-30T02:30", "2025-03-30T01:00", "03:00 instead"),
        ("Europe/Berlin", "2025-10-26T02:30", "2025-10-26T00:30", "twice"),
        ("America/New_York", "2024-11-03T01:30", "2024-11-03T05:30", "twice"),
        # Half an hour only.
        ("Australia/Lord_Howe", "2024-10-06T02:15", "2024-10-05T15:30", "02:30"),
        # Samoa went over the date line: there was no 30 December 2011.
        ("Pacific/Apia", "2011-12-30T19:00", "2011-12-30T10:00", "2011-12-31 00:00"),
    ],
)
def test_gaps_end_late_and_folds_count_once(
    zone: str, local: str, utc: str, word: str
) -> None:
    instant, note = to_instant(datetime.fromisoformat(local), zone)

    assert instant == datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert word in note
    assert bool(word) == bool(note)
