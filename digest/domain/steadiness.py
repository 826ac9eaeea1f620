"""Notice that the host's clock was set, by one that nobody can set."""

from datetime import datetime, timedelta

SLACK = timedelta(minutes=1)
"""Smaller corrections change no issue's hour by more than its minute."""

PATIENCE = timedelta(minutes=5)
"""How long a clock is left to be set right, after it was set."""


class Steadiness:
    """Compares the clock with the time since the host was started."""

    def __init__(self) -> None:
        self._last: tuple[datetime, float] | None = None
        self._until: float | None = None

    def look(self, now: datetime, uptime: float) -> timedelta | None:
        """Tell by how much the clock was set since the last look.

        Args:
            now: What the clock shows.
            uptime: Seconds since the host was started, asleep or not.

        Returns:
            The step, forward or back; None: it was not set.
        """
        before, self._last = self._last, (now, uptime)
        if before is None:
            return None
        step = (now - before[0]) - timedelta(seconds=uptime - before[1])
        if abs(step) <= SLACK:
            return None
        self._until = uptime + PATIENCE.total_seconds()
        return step

    def is_steady(self, uptime: float) -> bool:
        """Tell whether the clock was left alone for long enough."""
        return self._until is None or uptime >= self._until
