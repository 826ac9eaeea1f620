"""What readers thought of an edition, and why they left; nobody's name."""

from enum import StrEnum

from digest.domain.plaintext import clean_line

MOST_CHARACTERS = 1000  # of a reader's own words


class Answer(StrEnum):
    """An answer to "How was this edition?"."""

    USEFUL = "useful"  # more like this
    FINE = "fine"  # as expected
    NOT_FOR_ME = "not-for-me"  # less like this


class LeavingReason(StrEnum):
    """An answer to "Why did you leave?", which nobody has to give."""

    TOO_MUCH = "too-much"  # more letters, or longer ones, than wanted
    NOT_FOR_ME = "not-for-me"  # the stories
    ELSEWHERE = "elsewhere"  # reads them in another place
    UNASKED = "unasked"  # says they never signed up
    OTHER = "other"  # none of these


def clean_words(text: str) -> str:
    """Return what a reader wrote as one line, at most `MOST_CHARACTERS` long."""
    return clean_line(text[:MOST_CHARACTERS])
