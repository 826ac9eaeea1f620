"""What a change of a zone's clocks does to issues, in words."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)


def describe_change(before: datetime, due: datetime, zone: str) -> str:
    """Say how the clocks changed from one issue to the next.

    Args:
        before: The issue before, as an instant.
        due: The issue.
        zone: IANA name.

    Returns:
        Words for people; empty where local time is as far from UTC as it was.
    """
    clock = ZoneInfo(zone)
    if _offset(before, clock) == _offset(due, clock):
        return ""
    said = [_describe(at, clock) for at in _changes(before, due, clock)]
    shown, now = due.astimezone(clock), due.astimezone(UTC)
    usual = shown.replace(tzinfo=None) - _offset(before, clock)
    # A zone that crosses the date line changes the day alone.
    is_other_hour = (usual.hour, usual.minute) != (now.hour, now.minute)
    form = "%H:%M" if is_other_hour else "%Y-%m-%d %H:%M"
    return (
        f"clocks in {zone} go {' and '.join(said)}:"
        f" {shown:{form}} is {now:{form}} UTC, not {usual:{form}}"
    )


def _describe(at: datetime, clock: ZoneInfo) -> str:
    """Say what the clocks do at an instant."""
    step = _offset(at, clock) - _offset(at - _SECOND, clock)
    way = "forward" if step > timedelta(0) else "back"
    minutes = abs(step) // _MINUTE
    length = f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
    shown = (at - _SECOND).astimezone(clock) + _SECOND
    return f"{way} {length} on {shown:%a %Y-%m-%d} at {shown:%H:%M}"


def _changes(start: datetime, end: datetime, clock: ZoneInfo) -> Iterator[datetime]:
    """Find the instants at which a zone's offset changes, to the second."""
    low = start.astimezone(UTC)
    while low < end:
        high = min(low + _DAY, end.astimezone(UTC))
        if _offset(low, clock) != _offset(high, clock):
            yield _first_after(low, high, clock)
        low = high


def _first_after(low: datetime, high: datetime, clock: ZoneInfo) -> datetime:
    """Find the change between two instants less than a day apart."""
    old = _offset(low, clock)
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        if _offset(middle, clock) == old:
            low = middle
        else:
            high = middle
    return high


def _offset(at: datetime, clock: ZoneInfo) -> timedelta:
    return at.astimezone(clock).utcoffset() or timedelta(0)
