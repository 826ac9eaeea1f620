"""How the desk is asked by mail: what it is sent, when, and how long links hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST_REVIEW = timedelta(days=7)
"""How long the links hold of an edition that no schedule lets go."""

_AHEAD = timedelta(hours=1)
# Sooner after the question it would be the question again.
_LEAST_WAIT = timedelta(minutes=10)


class DeskMail(StrEnum):
    """What the desk is mailed about an edition, each once."""

    ASK = "ask"  # the draft, its problems, and links to settle it
    SOON = "soon"  # nobody approved it, and its hour is near
    DUE = "due"  # nobody approved it by its hour
    LAST = "last"  # its grace is about to end
    SENT = "sent"  # it went: what became of the letters
    DAY = "day"  # what came back within a day


REMINDERS = (DeskMail.SOON, DeskMail.DUE, DeskMail.LAST)
"""In order of time."""


@dataclass(frozen=True, kw_only=True)
class Review:
    """One address of the desk that may settle one edition.

    Attributes:
        id: Row id.
        edition_id: The edition.
        address: Whose links they are.
        valid_from: Links made before this are dead.
        valid_until: All of them are dead after this.
    """

    id: int
    edition_id: int
    address: str
    valid_from: datetime
    valid_until: datetime

    def is_open(self, *, issued_at: datetime, now: datetime) -> bool:
        """Tell whether a link that was made at `issued_at` still acts."""
        # Links carry whole seconds.
        begun = issued_at >= self.valid_from.replace(microsecond=0)
        return begun and now <= self.valid_until


def reminders(
    *, asked_at: datetime, due: datetime, grace: timedelta
) -> Mapping[DeskMail, datetime]:
    """Say when the desk is reminded of an issue that nobody approved.

    Args:
        asked_at: When it was asked.
        due: The issue's hour.
        grace: How late it may still go without asking.

    Returns:
        An hour before its hour or half way there, at its hour, and an hour before its
        grace ends or half way; without those that would come too close together.
    """
    soon = due - min(_AHEAD, (due - asked_at) / 2)
    last = due + grace - min(_AHEAD, grace / 2)
    wanted = (
        (DeskMail.SOON, soon, asked_at),
        (DeskMail.DUE, due, asked_at),
        (DeskMail.LAST, last, max(due, asked_at)),
    )
    return {name: at for name, at, before in wanted if at - before >= _LEAST_WAIT}
