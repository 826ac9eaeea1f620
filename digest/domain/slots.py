"""Slots: the places of a rendering that differ from reader to reader.

A variant is rendered once with markers; for each letter the markers are replaced.
Markers are private-use characters, which `strip_markers` takes out of everything that
comes from outside, so no story can forge one.
"""

from collections.abc import Iterator
from enum import StrEnum

_OPEN, _CLOSE = "\ue000", "\ue001"


class Slot(StrEnum):
    """What stands in a slot; each value is one line of at most 320 characters."""

    UNSUBSCRIBE_TOKEN = "unsubscribe"  # noqa: S105 - a name
    PREFERENCES_TOKEN = "preferences"  # noqa: S105 - a name
    ADDRESS = "address"
    CONFIRMED_ON = "confirmed"  # a date in the newsletter's language


def marker(slot: Slot) -> str:
    """Return the text that stands for a slot in a rendering."""
    return f"{_OPEN}{slot}{_CLOSE}"


def strip_markers(text: str) -> str:
    """Take the marker characters out of text from outside."""
    return text.replace(_OPEN, "").replace(_CLOSE, "")


def split(rendering: str) -> Iterator[str | Slot]:
    """Cut a rendering into literal text and slots, in order."""
    first, *rest = rendering.split(_OPEN)
    yield first
    for piece in rest:
        name, _, literal = piece.partition(_CLOSE)
        yield Slot(name)
        yield literal
