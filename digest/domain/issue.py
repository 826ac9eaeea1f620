"""Issue dates: which days an issue covers, and how a reader sees dates and numbers."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date

DAYS = 7
WORDS_A_MINUTE = 200

_TO_ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def local_date(now: datetime, time_zone: str) -> date:
    """Return the date it is in a zone (an IANA name)."""
    return now.astimezone(ZoneInfo(time_zone)).date()


def days_of(issue_date: date) -> tuple[date, date]:
    """Return the first and last local date whose stories an issue carries."""
    return issue_date - timedelta(days=DAYS - 1), issue_date


def reading_minutes(words: int) -> int:
    """Return how long so many words take, in whole minutes, at least one."""
    return max(1, round(words / WORDS_A_MINUTE))


def write_date(day: date, *, language: str, digits: str = "latn") -> str:
    """Write a date out in full: "Sunday 12 May 2024".

    Args:
        day: The date.
        language: BCP 47 tag.
        digits: `latn` or `arab`, as `theme.DIGITS`.
    """
    locale = _locale(language)
    # CLDR's English is American; a newspaper in Cairo writes the day first.
    pattern = "EEEE d MMMM y" if locale.language == "en" else "full"
    return write_figures(format_date(day, pattern, locale=locale), digits=digits)


def write_moment(
    at: datetime, *, zone: str, language: str, digits: str = "latn"
) -> str:
    """Write an instant as a zone's clock shows it: "Sunday 12 May 2024, 19:00"."""
    local = at.astimezone(ZoneInfo(zone))
    day = write_date(local.date(), language=language, digits=digits)
    comma = "،" if _locale(language).language == "ar" else ","
    return f"{day}{comma} {write_figures(f'{local:%H:%M}', digits=digits)}"


def write_figures(text: str, *, digits: str) -> str:
    """Write the figures of a text in a numbering system (`latn` or `arab`)."""
    return text.translate(_TO_ARABIC_INDIC) if digits == "arab" else text


def write_number(number: int, *, digits: str) -> str:
    """Write a whole number in a numbering system (`latn` or `arab`)."""
    return write_figures(str(number), digits=digits)


def _locale(language: str) -> Locale:
    return Locale.parse(language, sep="-")
