"""Text in two directions: which way a run goes, and how it is kept whole (UAX #9).

An Arabic letter names Latin sources, addresses and prices. Where HTML's `dir` cannot
stand, in a subject or in plain text, Unicode isolates do the same.
"""

import re
import unicodedata
from collections.abc import Iterator

from babel import Locale

_STRONG = {"L": "ltr", "R": "rtl", "AL": "rtl"}
_ISOLATES = {"LRI", "RLI", "FSI"}
_OPEN = {"ltr": "\u2066", "rtl": "\u2067"}
_CLOSE = "\u2069"
_MARK = {"ltr": "\u200e", "rtl": "\u200f"}
# "+20 2 555 0100" and "12-05-2024" hold no letter, and still read one way only.
_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_ISOLATED, _EMBEDDED, _OVERRIDDEN = "\u2069", "\u202c", ""
_CLOSED_BY = {
    **dict.fromkeys("\u2066\u2067\u2068", _ISOLATED),  # LRI, RLI, FSI
    **dict.fromkeys("\u202a\u202b", _EMBEDDED),  # LRE, RLE
    **dict.fromkeys("\u202d\u202e", _OVERRIDDEN),  # LRO, RLO: dropped with their ends
}
_NUMBERS = re.compile(r"\+[0-9]|[0-9][ /()-]+[0-9]")


def language_direction(language: str) -> str:
    """Return `ltr` or `rtl`, as CLDR knows the language (a BCP 47 tag)."""
    return str(Locale.parse(language, sep="-").text_direction)


def direction_of(text: str, base: str = "ltr") -> str:
    """Return the direction of a text that stands in another one.

    Args:
        text: A name, a headline, an address.
        base: The direction around it. A text that has a letter of it goes along, so
            that "BBC: …" before Arabic words stays Arabic.
    """
    found = {_STRONG.get(unicodedata.bidirectional(c)) for c in text} - {None}
    if not found:
        return "ltr" if _NUMBERS.search(text) else base
    return base if base in found else str(found.pop())


def isolated(text: str, base: str = "ltr") -> str:
    """Return a text as it can stand in plain text of a direction.

    A text that runs against it is enclosed in an isolate (LRI or RLI, then PDI).
    """
    own = direction_of(text, base)
    return text if own == base else f"{_OPEN[own]}{text}{_CLOSE}"


def contained(text: str) -> str:
    """Return a text whose direction controls turn nothing that comes after it.

    Each line closes what it opens and nothing else (UAX #9 §2). Overrides go: their
    one use in running text is to make it read as something that it is not.
    """
    if not _CONTROLS.search(text):
        return text
    return "\n".join("".join(_contained(line)) for line in text.split("\n"))


def _contained(line: str) -> Iterator[str]:
    ends: list[str] = []
    isolates = 0
    for c in line:
        if (end := _CLOSED_BY.get(c)) is not None:
            ends.append(end)
            isolates += end == _ISOLATED
            yield c if end else ""
        elif c == _ISOLATED and isolates:
            isolates -= 1
            # It ends embeddings inside, too (rule X6a).
            while ends.pop() != _ISOLATED:
                pass
            yield c
        elif c == _EMBEDDED and ends and ends[-1] != _ISOLATED:
            yield ends.pop()
        elif c not in {_ISOLATED, _EMBEDDED}:
            yield c
    yield from reversed(ends)


def anchored(text: str, base: str = "ltr") -> str:
    """Return plain text whose lines all start on the side they belong to.

    Mail programs take a line's direction from its first letter: where a line of
    Arabic starts with a Latin word it would be turned round, so an invisible mark of
    the letter's direction is put before it. So it is before a rule of dashes, which has
    no letter at all. Lines that hold only a foreign run, such as a web address, are
    left alone.
    """
    return "\n".join(_anchored(line, base) for line in text.split("\n"))


def _anchored(line: str, base: str) -> str:
    first = _first_direction(line)
    is_ruled = first is None and base == "rtl" and bool(line.strip())
    turns = first not in {None, base} and direction_of(line, base) == base
    return _MARK[base] + line if is_ruled or turns else line


def _first_direction(line: str) -> str | None:
    """Return what rules P2 and P3 find: the first strong letter outside isolates."""
    depth = 0
    for kind in map(unicodedata.bidirectional, line):
        if kind in _ISOLATES:
            depth += 1
        elif kind == "PDI":
            depth = max(0, depth - 1)
        elif kind in _STRONG and not depth:
            return _STRONG[kind]
    return None
