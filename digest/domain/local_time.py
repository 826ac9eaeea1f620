"""From what a zone's clock shows to an instant, also where it skips or repeats."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def to_instant(local: datetime, zone: str) -> tuple[datetime, str]:
    """Return the instant at which a zone's clock shows a time, and what is unusual.

    In a gap it is the first valid instant after; where a time happens twice, the
    first one (PEP 495, fold=0).

    Args:
        local: Without zone.
        zone: IANA name.

    Returns:
        The instant in UTC, and a note for people: empty for an ordinary time.
    """
    clock = ZoneInfo(zone)
    early, late = (local.replace(tzinfo=clock, fold=fold) for fold in (0, 1))
    first, second = early.astimezone(UTC), late.astimezone(UTC)
    if first == second:
        return first, ""
    shown = f"{local:%Y-%m-%d %H:%M}"
    if first < second:
        return first, f"{shown} happens twice in {zone}: the first one counts"
    instant = _end_of_gap(local, clock, before=second, after=first)
    moved = instant.astimezone(clock)
    return instant, f"{shown} does not exist in {zone}: {moved:%Y-%m-%d %H:%M} instead"


def _end_of_gap(
    local: datetime, clock: ZoneInfo, *, before: datetime, after: datetime
) -> datetime:
    """Find the first second at which the clock shows `local` or later."""
    low, high = 0, int((after - before).total_seconds())
    while low < high:
        middle = (low + high) // 2
        shown = (before + timedelta(seconds=middle)).astimezone(clock)
        if shown.replace(tzinfo=None) < local:
            low = middle + 1
        else:
            high = middle
    return before + timedelta(seconds=low)
