"""Lines that say when a page was published."""

import re
import unicodedata
from datetime import date

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan يناير",
            "february feb فبراير شباط",
            "march mar مارس آذار",
            "april apr أبريل ابريل إبريل نيسان",
            "may مايو أيار",
            "june jun يونيو حزيران",
            "july jul يوليو تموز",
            "august aug أغسطس اغسطس آب",
            "september sept sep سبتمبر أيلول",
            "october oct أكتوبر اكتوبر",
            "november nov نوفمبر",
            "december dec ديسمبر",
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"\b(?P<m>{_MONTH})\b\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s*,?\s+(?P<y>\d{{4}})\b",
        rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?[\s-]+(?P<m>{_MONTH})\b\.?\s*[,،-]?\s*(?P<y>\d{{4}})\b",
        r"\b(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?=\b|T)",
        r"\b(?P<d>\d{1,2})[-/.](?P<m>\d{1,2})[-/.](?P<y>\d{4})\b",
    )
)
_NOISE = re.compile(
    r"""\b(?:
        publi(?:shed|cation)|posted|updated|modified|created|date|issued|last|first
      | on|at|time|a\.?m\.?|p\.?m\.?|hours?|hrs
      | (?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?
      | (?:local|cairo)\ time|utc|gmt|[a-z]{2,4}t|eet|cet|clt
      | نشر|تاريخ|النشر|آخر|تحديث|في|الساعة|صباحا|مساء|ص|م
      | السبت|الأحد|الاثنين|الإثنين|الثلاثاء|الأربعاء|الخميس|الجمعة
    )\b|[\d:.,،|·•@+()/\-–—\sTZ]""",
    re.IGNORECASE | re.VERBOSE,
)
_LONGEST_LINE = 90
_NAME = r"(?P<name>(?:[^\W\d_][\w.'’-]*\s?){1,5})"
_NAME_FIRST = re.compile(
    rf"(?:by\s+)?{_NAME}\s*[|·•–—,-]\s*(?P<date>.*\d.*)", re.IGNORECASE
)
_DATE_FIRST = re.compile(
    rf"(?P<date>.*\d.*?)\s*(?:[|·•–—-]|\bby\b)\s*{_NAME}", re.IGNORECASE
)
_YEARS = range(1990, 2100)


def find_date(text: str) -> date | None:
    """Return the first date written out in a text, or None.

    `12/05/2024` is read day first unless only the other way makes a date.
    """
    return _search(_with_ascii_digits(text))[0]


def read_date_line(line: str) -> date | None:
    """Return the date of a line that says nothing else, or None.

    Weekdays, times of day and words such as "Published on" may stand beside it.
    """
    if len(line) > _LONGEST_LINE:
        return None
    found, rest = _search(_with_ascii_digits(line))
    return found if found and not _NOISE.sub("", rest) else None


def split_byline(line: str) -> tuple[str, str] | None:
    """Take "Nadia Farag | May 12, 2024" apart, in either order.

    Returns:
        The name and the date line; None where the line is no such pair.
    """
    if len(line) > _LONGEST_LINE or read_date_line(line):
        return None
    for pattern in (_NAME_FIRST, _DATE_FIRST):
        match = pattern.fullmatch(line)
        if match and read_date_line(match["date"]):
            return match["name"].strip(), match["date"].strip()
    return None


def _search(text: str) -> tuple[date | None, str]:
    for form in _FORMS:
        for match in form.finditer(text):
            found = _to_date(match)
            if found is not None:
                return found, text[: match.start()] + " " + text[match.end() :]
    return None, text


def _to_date(match: re.Match[str]) -> date | None:
    month = match["m"].lower()
    year, day = int(match["y"]), int(match["d"])
    number = _MONTHS.get(month) or int(month)
    for m, d in ((number, day), (day, number) if month.isdigit() else (number, day)):
        try:
            found = date(year, m, d)
        except ValueError:
            continue
        return found if year in _YEARS else None
    return None


def _with_ascii_digits(text: str) -> str:
    return "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() and c > "\x7f" else c for c in text
    )
