"""Values that a source gave: nobody vouches for their types or their form."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo


def text_of(value: Any) -> str:
    """Return a text; empty where the value is none."""
    return value if isinstance(value, str) else ""


def list_of(value: Any) -> Sequence[Any]:
    """Return a list; empty where the value is none."""
    return value if isinstance(value, list) else []


def object_of(value: Any) -> Mapping[str, Any]:
    """Return a JSON object; empty where the value is none."""
    return value if isinstance(value, dict) else {}


def date_of(text: str, zone: ZoneInfo) -> date | None:
    """Return the zone's date of an ISO 8601 time or date; None where it is neither.

    Without an offset it is local time already.
    """
    try:
        found = datetime.fromisoformat(text.strip())
        return (found.astimezone(zone) if found.tzinfo else found).date()
    except (ValueError, OverflowError):  # in the last hours of the year 9999
        return None


def instant_of(text: str) -> datetime | None:
    """Return the instant of an ISO 8601 time; None where it lacks an offset."""
    try:
        found = datetime.fromisoformat(text.strip())
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def first_read(read: Callable[[str], str | None], lines: Iterable[str]) -> str:
    """Return what `read` makes of the first line it can read; else nothing."""
    return next((found for line in lines if (found := read(line))), "")
