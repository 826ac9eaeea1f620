"""Text from outside, made safe to print: one line, no hidden characters."""

import re
import unicodedata

from digest.domain.slots import strip_markers

_SPACES = re.compile(r"[\s\u0085\u2028\u2029]+")
# Cc control, Cs lone surrogates, Co private use (slot markers live there), Cn
# unassigned and noncharacters.
_UNPRINTABLE = {"Cc", "Cs", "Co", "Cn"}
# Embeddings and overrides reorder what follows; nothing but a trick needs them.
_HIDDEN = {
    *map(chr, range(0x202A, 0x202F)),
    *map(chr, range(0xFFF9, 0xFFFC)),  # interlinear annotation
    *map(chr, range(0xE0000, 0xE0080)),  # tag characters: invisible text
    "\u00ad",  # soft hyphen
    "\u200b",  # zero width space
    "\u2060",  # word joiner
    "\ufeff",  # byte order mark
}
_ISOLATES = {"\u2066", "\u2067", "\u2068"}
_POP_ISOLATE = "\u2069"
_MOST_MARKS = 6  # on one letter; more is a tower that covers its neighbours


def clean_line(text: str) -> str:
    """Return text as one line of printable characters.

    White space is folded, the form is NFC (UAX #15), and what cannot be seen or
    reorders its surroundings is gone: control and private-use characters, lone
    surrogates, bidirectional overrides and isolates that are not closed (UAX #9).
    """
    line = _SPACES.sub(" ", strip_markers(text)).strip()
    visible = "".join(
        c
        for c in line
        if c not in _HIDDEN and unicodedata.category(c) not in _UNPRINTABLE
    )
    composed = unicodedata.normalize("NFC", _limit_marks(visible))
    return _SPACES.sub(" ", _balance_isolates(composed)).strip()


def clean_lines(text: str) -> list[str]:
    """Return the lines of a text, each cleaned; empty ones are kept as such."""
    return [clean_line(line) for line in re.split(r"\r\n|[\r\n\u2028\u2029]", text)]


def fold(text: str) -> str:
    """Return the form in which names are compared: no case, no punctuation."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def _limit_marks(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)


def _balance_isolates(text: str) -> str:
    opened = sum(text.count(c) for c in _ISOLATES)
    if opened == text.count(_POP_ISOLATE) and _never_negative(text):
        return text
    return "".join(c for c in text if c not in _ISOLATES and c != _POP_ISOLATE)


def _never_negative(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character in _ISOLATES) - (character == _POP_ISOLATE)
        if depth < 0:
            return False
    return True
