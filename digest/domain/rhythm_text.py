"""Read and write rhythms: "Sun", "Mon,Thu", "first Sun", "15th"."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

from digest.domain.errors import UsageError
from digest.domain.rhythms import LAST, Rhythm, monthly, monthly_on, weekly

WEEKDAYS = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
)
EXAMPLE = 'Write it as "Sun 19:00".'

# "fifth" is refused with a better word than that it is no weekday.
_PLACES = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "last": LAST,
}
_NAMES = {number: word for word, number in _PLACES.items()}
_ORDINAL = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)", re.ASCII)
_LONGEST_MONTH = 31
_MOST_OF_A_WEEKDAY = 4


def parse_rhythm(text: str) -> Rhythm:
    """Read which days are issue dates.

    Weekdays come every week (`Sun`, `Mon,Thu`, `Mon-Fri`), or as those of the month
    (`first Sun`, `1st,3rd Tue`, `last Fri`). Ordinals alone are days of the month
    (`15th`, `1st,15th`, `last day`).

    Raises:
        UsageError: They are none.
    """
    words = [word for word in re.split(r"[,\s]+", text) if word]
    split = next((n for n, w in enumerate(words) if _place(w) is None), len(words))
    places = [_place(word) or 0 for word in words[:split]]
    names = words[split:]
    if places and [name.casefold() for name in names] == ["day"]:
        return _days_of_month(places, text)
    if not names and places:
        if LAST in places:
            raise UsageError(
                f"{text.strip()!r} leaves open which day.",
                'Write "last day 19:00" or "last Sun 19:00".',
            )
        return _days_of_month(places, text)
    weekdays = [number for name in names or [text] for number in _weekdays(name)]
    return _nth(places, weekdays) if places else weekly(*weekdays)


def parse_weekday(text: str) -> int:
    """Read a weekday, in full or its first letters: `Sun`.

    Raises:
        UsageError: It is none.
    """
    word = text.strip().rstrip(".,").casefold()
    if len(word) >= 3:  # noqa: PLR2004 - "Tu" and "Th" are too easily confused
        for number, name in enumerate(WEEKDAYS):
            if name.casefold().startswith(word):
                return number
    close = get_close_matches(word, [name.casefold() for name in WEEKDAYS], 1, 0.4)
    meant = f"Did you mean {close[0].capitalize()[:3]}?" if close else EXAMPLE
    raise UsageError(f"{text!r} is no weekday.", meant)


def write_rhythm(rhythm: Rhythm) -> str:
    """Write a rhythm as `parse_rhythm` reads it: "first Sun"."""
    if rhythm.monthdays == (_LONGEST_MONTH,):
        return "last day"
    if rhythm.monthdays:
        return ",".join(write_ordinal(day) for day in rhythm.monthdays)
    days = ",".join(WEEKDAYS[day][:3] for day in rhythm.weekdays)
    places = ",".join(_NAMES[place] for place in rhythm.nth)
    return f"{places} {days}".strip()


def describe_rhythm(rhythm: Rhythm) -> str:
    """Say a rhythm in words: "on the first Sunday of each month"."""
    if rhythm.monthdays:
        return _describe_monthdays(rhythm.monthdays)
    if rhythm.nth:
        days = join_words([WEEKDAYS[day] for day in rhythm.weekdays])
        places = join_words([_NAMES[place] for place in rhythm.nth])
        return f"on the {places} {days} of each month"
    if len(rhythm.weekdays) == len(WEEKDAYS):
        return "every day"
    return f"every {join_words([WEEKDAYS[day] for day in rhythm.weekdays])}"


def write_ordinal(number: int) -> str:
    """Write an ordinal of two figures at most: "22nd"."""
    is_teen = 10 < number < 20  # noqa: PLR2004 - eleventh to nineteenth
    ending = "th" if is_teen else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def join_words(words: Sequence[str]) -> str:
    """Join words as a sentence has them: "a, b and c"."""
    *some, last = words
    return f"{', '.join(some)} and {last}" if some else last


def _place(word: str) -> int | None:
    found = _ORDINAL.fullmatch(word.casefold())
    return int(found[1]) if found else _PLACES.get(word.casefold())


def _weekdays(word: str) -> Sequence[int]:
    first, dash, last = word.partition("-")
    if not dash:
        return [parse_weekday(word)]
    start, end = parse_weekday(first), parse_weekday(last)
    return [(start + n) % 7 for n in range((end - start) % 7 + 1)]


def _days_of_month(places: Sequence[int], text: str) -> Rhythm:
    days = [_LONGEST_MONTH if place == LAST else place for place in places]
    if not all(1 <= day <= _LONGEST_MONTH for day in days):
        raise UsageError(
            f"No month has all the days of {text.strip()!r}.",
            'Write days from 1st to 31st: "15th 09:00".',
        )
    return monthly(*days)


def _nth(places: Sequence[int], weekdays: Sequence[int]) -> Rhythm:
    if not all(1 <= place <= _MOST_OF_A_WEEKDAY or place == LAST for place in places):
        day = WEEKDAYS[weekdays[0]]
        raise UsageError(
            f"Not every month has so many of a {day}: first to fourth, or last.",
            f'For the last one write "last {day[:3]} 19:00".',
        )
    return monthly_on(places, weekdays)


def _describe_monthdays(days: Sequence[int]) -> str:
    if days == (_LONGEST_MONTH,):
        return "on the last day of each month"
    said = f"on the {join_words([write_ordinal(day) for day in days])} of each month"
    is_missing = days[-1] > 28  # noqa: PLR2004 - February's days
    return said + (" (the last day of shorter months)" if is_missing else "")
