"""When a letter is tried again, and when it is given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_MINUTE = timedelta(minutes=1)

MOST_RESENDS = 3
"""How often a letter in doubt is sent again by itself. Each time its reader may have
got one more copy; where the answer is lost four times in a row, it is not by chance."""


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """The waits between tries.

    RFC 5321 §4.5.4.1 wants them configurable; its hint of four to five days suits
    letters between persons. A weekly digest is stale after three.

    Attributes:
        refused: Wait after the first, second, … temporary refusal; the last one
            repeats.
        broken: Wait after trouble with the way there, doubled each time in a row.
        broken_at_most: Where the doubling ends.
        jitter: Largest share by which a wait is lengthened or shortened, so that
            letters deferred together do not come back together.
        deadline: After this long since the first try a refusal is final.
    """

    refused: Sequence[timedelta] = tuple(_MINUTE * n for n in (5, 10, 20, 40, 60))
    broken: timedelta = timedelta(seconds=30)
    broken_at_most: timedelta = 10 * _MINUTE
    jitter: float = 0.2
    deadline: timedelta = timedelta(hours=72)

    def after_refusal(
        self, *, refusals: int, first_at: datetime, now: datetime, roll: float
    ) -> datetime | None:
        """Say when a letter is tried again after a temporary refusal.

        Args:
            refusals: Temporary refusals so far, this one included.
            first_at: The first try.
            now: The present.
            roll: Chance, 0 to 1; 0.5 leaves the wait as it is.

        Returns:
            The instant, or None where the deadline has passed.
        """
        if now - first_at >= self.deadline:
            return None
        step = self.refused[min(refusals, len(self.refused)) - 1]
        # The last try falls on the deadline, not past it.
        return min(now + self._spread(step, roll), first_at + self.deadline)

    def after_trouble(
        self, *, times: int, first_at: datetime, now: datetime, roll: float
    ) -> datetime | None:
        """Say when to try again after trouble that is nobody's fault.

        Args:
            times: How often in a row, this time included.
            first_at: The first try.
            now: The present.
            roll: Chance, 0 to 1.

        Returns:
            The instant, or None where the deadline has passed.
        """
        if now - first_at >= self.deadline:
            return None
        # The exponent is bounded: a long outage must not overflow the wait.
        step = min(self.broken * 2 ** min(times - 1, 16), self.broken_at_most)
        return now + self._spread(step, roll)

    def _spread(self, step: timedelta, roll: float) -> timedelta:
        return step * (1 + self.jitter * (2 * roll - 1))
