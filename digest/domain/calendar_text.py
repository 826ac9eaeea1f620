"""Read what people write about schedules: "Sun 19:00", "2h", "Africa/Cairo"."""

import re
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

from digest.domain.calendar import Schedule
from digest.domain.errors import UsageError
from digest.domain.local_time import to_instant
from digest.domain.rhythm_text import (
    EXAMPLE,
    describe_rhythm,
    parse_rhythm,
    write_rhythm,
)
from digest.domain.rhythms import Rhythm

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:[0-9]{1,6}[dhms]){1,8}", re.ASCII)
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})", re.ASCII)
# A word that begins like a time, and is no ordinal.
_CLOCK = re.compile(r"[0-9]+(?!st|nd|rd|th|[0-9])", re.ASCII | re.IGNORECASE)
_YEARS = range(1970, 2201)


def parse_at(text: str) -> tuple[Rhythm, time]:
    """Read the days of issues and their local time: `Sun 19:00`, `last Fri 18:00`.

    Returns:
        The rhythm (see `rhythm_text.parse_rhythm`) and the time.

    Raises:
        UsageError: One of them is missing or impossible.
    """
    days, _, clock = text.strip().rpartition(" ")
    if not _CLOCK.match(clock):
        days, clock = text, ""
    if not days.strip():
        raise UsageError(f"{text!r} says no day.", EXAMPLE)
    rhythm = parse_rhythm(days)
    if not clock:
        raise UsageError(f"{text!r} says no time of day.", EXAMPLE)
    return rhythm, parse_time(clock)


def write_at(schedule: Schedule) -> str:
    """Write days and time as `parse_at` reads them."""
    return f"{write_rhythm(schedule.rhythm)} {schedule.at:%H:%M}"


def describe_at(schedule: Schedule) -> str:
    """Say days, time and zone in words: "every Sunday at 19:00, Africa/Cairo"."""
    return f"{describe_rhythm(schedule.rhythm)} at {schedule.at:%H:%M}, {schedule.zone}"


def parse_time(text: str, *, example: str = EXAMPLE) -> time:
    """Read a time of day, 24 hours: `19:00`.

    Args:
        text: What was written.
        example: How it is written where it stands, for whoever wrote it otherwise.

    Raises:
        UsageError: It is none.
    """
    found = _TIME.fullmatch(text.strip())
    try:
        if found:
            return time(int(found[1]), int(found[2]))
    except ValueError:
        pass
    raise UsageError(f"{text!r} is no time of day between 00:00 and 23:59.", example)


def parse_duration(text: str) -> timedelta:
    """Read a length of time: `2h`, `90m`, `1d12h`, `0`.

    Raises:
        UsageError: It is none.
    """
    word = text.strip().lower()
    if word == "0":
        return timedelta(0)
    if not _DURATION.fullmatch(word):
        raise UsageError(f"{text!r} is no length of time.", "Examples: 2h, 90m, 1d.")
    parts = re.findall(r"([0-9]+)([dhms])", word)
    return timedelta(seconds=sum(int(n) * _UNITS[unit] for n, unit in parts))


def write_duration(length: timedelta) -> str:
    """Write a length of time as `parse_duration` reads it."""
    rest, parts = int(length.total_seconds()), ""
    for unit, seconds in _UNITS.items():
        count, rest = divmod(rest, seconds)
        parts += f"{count}{unit}" if count else ""
    return parts or "0"


def parse_zone(text: str) -> str:
    """Read the name of a time zone.

    Raises:
        UsageError: It is not in the IANA database; suggests the nearest name.
    """
    known = available_timezones()
    name = text.strip()
    if name in known:
        return name
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(known)}
    whole = {zone.casefold(): zone for zone in known}
    word = name.replace(" ", "_").casefold()
    close = get_close_matches(word, whole, 1) or get_close_matches(word, cities, 1)
    meant = (
        f"Did you mean {(whole | cities)[close[0]]}?"
        if close
        else "Use an IANA name such as Africa/Cairo."
    )
    raise UsageError(f"There is no time zone {text!r}.", meant)


def parse_date(text: str) -> date:
    """Read a date: `2026-11-29`.

    Raises:
        UsageError: It is none.
    """
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        found = date.min
    if found.year not in _YEARS:
        raise UsageError(f"{text!r} is no date.", "Write it as 2026-11-29.")
    return found


def parse_local(text: str, *, day: date, zone: str) -> datetime:
    """Read a local time: `20:00` (on `day`) or `2026-11-29 20:00`.

    A time with an offset is taken as that instant, on the zone's clock.

    Returns:
        Local time without zone.

    Raises:
        UsageError: It is none.
    """
    word = text.strip()
    if _TIME.fullmatch(word):
        return datetime.combine(day, parse_time(word, example="Write it as 20:00."))
    moment = _parse_moment(word)
    if moment.tzinfo is not None:
        moment = moment.astimezone(ZoneInfo(zone))
    return moment.replace(tzinfo=None, fold=0)


def parse_instant(text: str, *, zone: str) -> datetime:
    """Read an instant; without an offset it is local time of the zone.

    Returns:
        The instant, UTC.

    Raises:
        UsageError: It is none.
    """
    moment = _parse_moment(text)
    return moment.astimezone(UTC) if moment.tzinfo else to_instant(moment, zone)[0]


def _parse_moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        found = datetime.min  # noqa: DTZ901 - out of range, refused below
    if found.year not in _YEARS:
        raise UsageError(
            f"{text!r} is no time.", "Write it as 2026-11-29 19:00 or with an offset."
        )
    return found
