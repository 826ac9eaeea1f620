"""The recipe for subject and preheader; it proposes, an editor decides.

Phones show about 41 characters of a subject, web mail about 70. A headline that says
"reports" keeps that word: a claim must not become a fact in the subject line.
"""

import re
from collections.abc import Callable, Sequence
from itertools import combinations

LONGEST_SUBJECT = 60
SUBJECT_BAND = (10, 79)
"""Beyond it preflight refuses; 79 is the longest headline seen to work as one."""
PREHEADER_BAND = (85, 120)

_LONGEST_PIECE = 48
_MOST_PIECES = 3
_MOST_LOOKED_AT = 6

# Whole words, alone or after "and", "in", "to": "مصادرة" is a seizure, no source.
_ARABIC_SOURCES = r"\b[وبل]?(?:ال|ل)?(?:تقرير|تقارير|مصدر|مصادر)\b"
_REPORTED = re.compile(rf"\breport(s|ed|edly)?\b|{_ARABIC_SOURCES}", re.IGNORECASE)
_ATTRIBUTION = re.compile(
    r"\b(report(s|ed|edly)?|says?|said|according|sources?|claims?|alleged(ly)?)\b"
    rf"|{_ARABIC_SOURCES}|\bو?(?:بحسب|حسب|وفق|وفقا)\b"
    r"|\bو?(?:قال|قالت|يقول|تقول|أفاد|أفادت|نقلا)\b",
    re.IGNORECASE,
)
# ": Reports", " – report", ", sources say" at the end of a headline
_TAIL = re.compile(r"\s*[:,،–—-]+\s*[^:,،–—]*$")
_BREAK = re.compile(
    r"\s*[,;:،؛–—]+\s+|\s+(?:-\s+)?"
    r"(?=(?:with|after|as|amid|over|for|following|before|while|ahead|despite|"
    r"because|when|since|until|due|in|on|at|by|from|against|under|into|"
    r"بعد|قبل|مع|وسط|رغم|خلال|منذ|حتى|بسبب|بشأن|ضد|إلى|على|في|من|أمام|عقب|إثر)\s)",
    re.IGNORECASE,
)


def propose_subject(headline: str, *, name: str = "") -> str:
    """Propose a subject of at most 60 characters, cut at a natural break.

    Args:
        headline: The lead's.
        name: The newsletter's, to stand before a headline that is too short alone.

    Returns:
        The headline itself where it fits or where a cut would not read well and it
        is not longer than any subject may be; then preflight warns.
    """
    proposed = shorten(headline, LONGEST_SUBJECT)
    least, most = SUBJECT_BAND
    if len(proposed) < least and name:
        return f"{name}: {proposed}"
    if len(proposed) <= most:
        return proposed
    body, tail = _split_attribution(proposed)
    room = max(least, LONGEST_SUBJECT - len(tail))
    return body[:room].rpartition(" ")[0].rstrip(" ,;:–—-") + "…" + tail


def shorten(headline: str, longest: int) -> str:
    """Cut a headline at a natural break, keeping its attribution.

    Returns:
        At most `longest` characters, or the headline where no break allows that.
    """
    headline = " ".join(headline.split())
    if len(headline) <= longest:
        return headline
    body, tail = _split_attribution(headline)
    cuts = [body[: found.start()] for found in _BREAK.finditer(body)]
    fitting = [c + tail for c in cuts if len(c + tail) <= longest and _stands(c)]
    return fitting[-1] if fitting else headline


def lacks_attribution(headline: str, subject: str) -> bool:
    """Whether a headline reports a claim that the subject states as a fact."""
    return bool(_REPORTED.search(headline)) and not _ATTRIBUTION.search(subject)


def propose_preheader(titles: Sequence[str], frame: Callable[[list[str]], str]) -> str:
    """Propose a preheader that names further stories.

    Args:
        titles: Headlines after the lead's, most important first.
        frame: Writes the line around some of them: "Plus: … A 5-minute read."

    Returns:
        The line with as many of them as fit into 120 characters, three at most and
        early ones first; of 85 characters at least where that is possible.
    """
    pieces = [shorten(t, _LONGEST_PIECE).rstrip(".") for t in titles[:_MOST_LOOKED_AT]]
    least, most = PREHEADER_BAND
    lines = [
        frame(list(chosen))
        for count in range(_MOST_PIECES, 0, -1)
        for chosen in combinations(pieces, count)
    ]
    fitting = [line for line in lines if len(line) <= most]
    full = [line for line in fitting if len(line) >= least]
    return next(iter(full or fitting), frame([]))


def _split_attribution(headline: str) -> tuple[str, str]:
    found = _TAIL.search(headline)
    if found and _REPORTED.search(found.group()):
        return headline[: found.start()], found.group()
    return headline, ""


def _stands(cut: str) -> bool:
    """Whether a cut says enough to stand alone: three words at least."""
    return len(cut.split()) >= 3  # noqa: PLR2004 - said above
