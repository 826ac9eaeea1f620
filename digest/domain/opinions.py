"""What readers thought of an edition: one of three answers, and nobody's name."""

from enum import StrEnum


class Answer(StrEnum):
    """An answer to "How was this edition?"."""

    USEFUL = "useful"  # more like this
    FINE = "fine"  # as expected
    NOT_FOR_ME = "not-for-me"  # less like this
