"""What the desk is told is wrong with an issue."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class AlertKind(StrEnum):
    """What sort of thing is wrong."""

    BLOCKED = "blocked"  # the issue cannot go: preflight, its approval, its readers
    LATE = "late"  # its hour and its grace have passed
    FEW = "few"  # it has too few stories
    SKIPPED = "skipped"  # a policy left it out
    SOURCE = "source"  # a source could not be read
    STORY = "story"  # a story was changed or is gone since the draft
    UNSEEN = "unseen"  # a story's page could not be looked at
    NEWS = "news"  # stories came in after the draft
    CLOCK = "clock"  # the clock of the machine was changed


QUIET = frozenset({AlertKind.UNSEEN, AlertKind.NEWS})
"""Kinds that are listed, and mailed only with the question about the draft."""


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One thing that is wrong with an issue.

    Attributes:
        id: Row id.
        schedule_id: Whose issue.
        issue_date: Which.
        kind: What sort of thing.
        words: What is wrong, for people.
        at: When it was found.
        settled_at: Since when it no longer holds; None: it does.
    """

    id: int
    schedule_id: int
    issue_date: date
    kind: AlertKind
    words: str
    at: datetime
    settled_at: datetime | None


def key_of(kind: AlertKind, words: str) -> str:
    """Name what is told once for an issue (64 hexadecimal digits)."""
    return hashlib.sha256(f"{kind}:{words}".encode()).hexdigest()
