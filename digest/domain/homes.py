"""Which homes may send for a database: a copy of either waits for an operator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Standing(StrEnum):
    """How a home and a database stand to each other."""

    KNOWN = "known"  # they belong together
    FRESH = "fresh"  # nothing was ever sent from this database
    STRANGE = "strange"  # the database knows other homes only
    COPIED = "copied"  # the home is a copy of one the database knows
    BEHIND = "behind"  # the database is older than what this home did

    @property
    def may_send(self) -> bool:
        """Whether letters may go."""
        return self in {Standing.KNOWN, Standing.FRESH}

    @property
    def words(self) -> str:
        """What is wrong, in a sentence; empty where nothing is."""
        return _WORDS.get(self, "")


_WORDS = {
    Standing.STRANGE: "This database was not sent from here so far: it may be a copy.",
    Standing.COPIED: "This home is a copy of another one, or was restored.",
    Standing.BEHIND: "This database is older than what was sent from here: it was"
    " restored, or is a copy.",
}


@dataclass(frozen=True, kw_only=True)
class Place:
    """A home as it lies on its machine.

    Attributes:
        id: What its file says, 32 hexadecimal digits; empty: it has none yet.
        machine: Names the machine, where it has a name; else empty.
        file: The number of the file: a copy has another.
        mark: How far work went from here, as the home remembers.
    """

    id: str
    machine: str
    file: str
    mark: int = 0

    @property
    def name(self) -> str:
        """What the database remembers it by."""
        return f"{self.machine}:{self.file}"


@dataclass(frozen=True, kw_only=True)
class Home:
    """A home as the database remembers it.

    Attributes:
        id: As in its file.
        place: `Place.name` of then.
        mark: How far work went from there.
        seen_at: When it last worked.
        adopted_by: Who said that it may send.
        adopted_at: When.
    """

    id: str
    place: str
    mark: int
    seen_at: datetime
    adopted_by: str
    adopted_at: datetime


def judge(place: Place, known: Sequence[Home], *, is_used: bool) -> Standing:
    """Tell how a home and a database stand to each other.

    Args:
        place: The home as it lies there.
        known: What the database remembers.
        is_used: Whether an edition ever went to the post from this database.
    """
    if not known:
        # A home that worked before, and a database that knows of no home: the
        # database is older, unless it is new.
        return Standing.BEHIND if is_used and place.mark else Standing.FRESH
    home = next((home for home in known if home.id == place.id), None)
    if home is None:
        return Standing.STRANGE
    if not _is_there(home.place, place):
        return Standing.COPIED
    return Standing.BEHIND if home.mark < place.mark else Standing.KNOWN


def _is_there(remembered: str, place: Place) -> bool:
    machine, _, file = remembered.partition(":")
    # In a container machines have no name: then the file alone tells.
    same = not machine or not place.machine or machine == place.machine
    return same and file == place.file
