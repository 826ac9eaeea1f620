"""Times as other services write them."""

import re
from datetime import UTC, datetime, timedelta

# Go prints "2024-01-15 10:00:00.123456 +0000 UTC".
_GO = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d{4})(?: \w+)?")
_UNIX = re.compile(r"(\d{10})(?:\d{3})?")
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_FUTURE = timedelta(days=1)  # clocks and zones differ


def parse_time(text: str, *, now: datetime) -> datetime | None:
    """Read an instant: ISO 8601, its relatives, or seconds since 1970.

    Args:
        text: A time without a zone is taken for UTC. `03/04/2024` is not read: it
            is March in one country and April in the next.
        now: Times after it are not believed.

    Returns:
        The instant, in UTC; None where it cannot be read or cannot be true.
    """
    try:
        found = _parse(text.strip())
    except (ValueError, OverflowError):
        return None
    return found if _EARLIEST <= found <= now + _FUTURE else None


def _parse(text: str) -> datetime:
    if unix := _UNIX.fullmatch(text):
        return datetime.fromtimestamp(int(unix[1]), UTC)
    if go := _GO.fullmatch(text):
        text = f"{go[1]}{go[2]}"
    elif text.endswith(" UTC"):
        text = f"{text[:-4]}+00:00"
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
