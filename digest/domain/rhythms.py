"""On which local dates a newsletter appears: weekdays, or days of the month."""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice, pairwise

from digest.domain.issue import DAYS

LAST = -1
"""The last of a weekday in its month."""

MONTHLY_GAP = 35
"""Days from one nth weekday to the next, at most; a day of the month has 31."""

_LONGEST_WAIT = timedelta(days=6)
_LONGEST_WAIT_OF_DAILIES = timedelta(hours=20)

# Long enough to meet every shape of month, so that the shortest gap is found.
_SAMPLE = 1500
_SAMPLE_FROM = date(2024, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """Which local dates are issue dates; weekdays and monthdays exclude each other.

    Attributes:
        weekdays: 0 is Monday, as `date.weekday` counts; ascending.
        nth: With weekdays: which of the month's, 1 to 4 or `LAST`; none: every week.
        monthdays: Days of the month, 1 to 31, ascending. Where a month is shorter,
            its last day stands for those it lacks.
    """

    weekdays: tuple[int, ...] = ()
    nth: tuple[int, ...] = ()
    monthdays: tuple[int, ...] = ()

    @property
    def is_monthly(self) -> bool:
        """Whether it counts within the month, not from week to week."""
        return bool(self.nth or self.monthdays)

    @property
    def longest_gap(self) -> int:
        """Days from one issue date to the next, at most."""
        return MONTHLY_GAP if self.is_monthly else 7

    @property
    def shortest_gap(self) -> int:
        """Days from one issue date to the next, at least."""
        found = islice(self.dates(_SAMPLE_FROM), _SAMPLE)
        return min((b - a).days for a, b in pairwise(found))

    @property
    def longest_wait(self) -> timedelta:
        """How early to collect and how late to go is possible, at most.

        Longer would reach into the next issue.
        """
        days = timedelta(days=self.shortest_gap - 1)
        return min(_LONGEST_WAIT, days or _LONGEST_WAIT_OF_DAILIES)

    def days_covered(self, issue_date: date) -> tuple[date, date]:
        """Return the first and last local date whose stories an issue carries.

        Seven days at least, and all since the issue date before where those are
        more: an issue that appears each month carries the month.
        """
        since = min(self.before(issue_date), issue_date - timedelta(days=DAYS))
        return since + timedelta(days=1), issue_date

    def has(self, day: date) -> bool:
        """Whether a date is an issue date."""
        if self.weekdays:
            return day.weekday() in self.weekdays and self._has_nth(day)
        length = monthrange(day.year, day.month)[1]
        is_end = day.day == length
        return day.day in self.monthdays or (is_end and self.monthdays[-1] > length)

    def dates(self, first: date, last: date = date.max) -> Iterator[date]:
        """Go through the issue dates from `first` to `last`, both included."""
        for number in range(first.toordinal(), last.toordinal() + 1):
            day = date.fromordinal(number)
            if self.has(day):
                yield day

    def before(self, day: date) -> date:
        """Return the issue date before a date."""
        last = day.toordinal() - 1
        numbers = range(last, last - self.longest_gap, -1)
        return next(d for d in map(date.fromordinal, numbers) if self.has(d))

    def after(self, day: date) -> date:
        """Return the issue date after a date."""
        return next(self.dates(date.fromordinal(day.toordinal() + 1)))

    def _has_nth(self, day: date) -> bool:
        is_last = day.day + 7 > monthrange(day.year, day.month)[1]
        place = (day.day - 1) // 7 + 1
        return not self.nth or place in self.nth or (is_last and LAST in self.nth)


def weekly(*weekdays: int) -> Rhythm:
    """Return the rhythm of every week on these weekdays; 0 is Monday."""
    return Rhythm(weekdays=_ordered(weekdays))


def monthly_on(nth: Sequence[int], weekdays: Sequence[int]) -> Rhythm:
    """Return the rhythm of a month's nth weekdays: 1 to 4, or `LAST`."""
    places = sorted(set(nth), key=lambda place: (place == LAST, place))
    return Rhythm(weekdays=_ordered(weekdays), nth=tuple(places))


def monthly(*monthdays: int) -> Rhythm:
    """Return the rhythm of days of the month, 1 to 31."""
    return Rhythm(monthdays=_ordered(monthdays))


def _ordered(numbers: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(set(numbers)))
