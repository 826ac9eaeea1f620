"""Who made a picture: credit lines, and credits run into the first sentence."""

import re
from typing import NamedTuple

_NOUN = (
    r"(?:(?:cover|feature|featured|header|main|lead)\s+)?"
    r"(?:image|photo|photograph|picture|illustration|screenshot|screengrab|graphic)s?"
)
_LABEL = re.compile(
    rf"""(?:
        {_NOUN}\s+(?:credits?|sources?|courtesy|copyright)(?:\s+of)?\s*[:|–-]?\s+
      | {_NOUN}\s+(?:via|by|courtesy\ of)\s*:?\s+
      | {_NOUN}\s+from\s*:\s*
      | {_NOUN}\s*:\s*
      | (?:credits?|courtesy(?:\ of)?|photographer|photography\ by)\s*:\s*
      | (?:(?:مصدر|حقوق)\s+)?(?:الصورة|الصور)\s*:\s*
      | تصوير\s*:\s*
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_LABEL_TIGHT = re.compile(
    rf"(?:{_NOUN}\s+(?:credits?|sources?|courtesy))\s*:\s*", re.IGNORECASE
)
# Words that open a sentence far more often than they end an agency's name.
_STARTERS_LISTED = (
    "The A An In On At As After Before During For From With While When Where "
    "Since Despite Following This These Those That It He She They We Its His Her "
    "Their According Although Amid Among Because By Egypt’s Egypt's Egyptian "
    "Israel’s Israel's Israeli Palestinian President Prime Minister Foreign "
    "Located More Most Many No Over Some Several Thousands Hundreds Two Three "
    "Four Five To Under Until Once If Last Yesterday Today Earlier Every Each "
    "There Not Only One "
)
_STARTERS = frozenset(_STARTERS_LISTED.split())
_AGENCIES = re.compile(
    r"(?:AFP|AP|EPA|MENA|UPI|Reuters|Xinhua|Anadolu(?:\ Agency)?|Getty(?:\ Images)?"
    r"|Associated\ Press|Agence\ France-Presse|Wikimedia(?:\ Commons)?|Wikipedia"
    r"|Shutterstock|Unsplash|Pexels|Pixabay|Flickr|Facebook|Instagram|Twitter)"
    r"(?=[\s.,;|)]|$)",
    re.IGNORECASE,
)
_JOINERS = frozenset(
    {"via", "by", "of", "and", "&", "for", "from", "on", "/", "|", "de"}
)
_LONGEST_WORDS = 10
_LONGEST_LINE = 160


class Split(NamedTuple):
    """A first paragraph taken apart.

    Attributes:
        credit: Who made the picture; empty where the text opens with no credit.
        text: What is left.
    """

    credit: str
    text: str


def read_credit_line(line: str) -> str | None:
    """Return the credit of a line that is nothing but one, else None."""
    label = _label(line)
    if label is None or len(line) > _LONGEST_LINE:
        return None
    rest = line[label:].strip()
    words = rest.split()
    is_sentence = len(words) > _LONGEST_WORDS or (
        rest.endswith(".") and len(words) > _LONGEST_WORDS // 2
    )
    return None if is_sentence or not rest else rest.rstrip(" .")


def split_credit(text: str) -> Split:
    """Cut a credit off the sentence it is run into.

    `Photo via Daily News Egypt The Central Bank said …` gives the credit `Daily News
    Egypt`. It is a guess, so callers flag the story for the desk.
    """
    label = _label(text)
    if label is None:
        return Split("", text)
    rest = text[label:].strip()
    agency = _AGENCIES.match(rest)
    words = rest.split()
    count = len(agency.group().split()) if agency else _count_credit_words(words)
    if not 0 < count <= _LONGEST_WORDS or count >= len(words):
        return Split("", text)
    credit = " ".join(words[:count]).rstrip(" .,;|")
    return Split(credit, " ".join(words[count:]).lstrip(" .,;|–-"))


def _label(text: str) -> int | None:
    match = _LABEL_TIGHT.match(text) or _LABEL.match(text)
    return match.end() if match else None


def _count_credit_words(words: list[str]) -> int:
    """Count the words of the credit: names up to where a sentence seems to start."""
    small = (i for i, word in enumerate(words) if _is_small(word))
    run = min(next(small, len(words)), _LONGEST_WORDS + 1)
    for place, word in enumerate(words[:run]):
        # "Motasem A Dalloul/X": a slash joins a person and a channel.
        if "/" in word.strip("/") or word.endswith((".", "|", ")")):
            return place + 1
    for place in range(1, run):
        if _starts_sentence(words, place):
            return place
    # The last capital before a small word opens the sentence.
    return run - 1


def _is_small(word: str) -> bool:
    return not (word[0].isupper() or word[0].isdigit() or word[0] in "@#(") and (
        word not in _JOINERS
    )


def _starts_sentence(words: list[str], place: int) -> bool:
    word = words[place].strip(",")
    is_initial = (
        word == "A" and place + 1 < len(words) and words[place + 1][0].isupper()
    )
    return word in _STARTERS and not is_initial
