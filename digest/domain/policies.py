"""What a schedule does when an issue is not as it should be at its hour."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from digest.domain.errors import UsageError

MOST_STORIES = 50


class Unapproved(StrEnum):
    """What becomes of an issue that nobody approved by its hour."""

    HOLD = "hold"  # it waits, and the desk is reminded until its grace is over
    SKIP = "skip"  # it does not appear


class TooFew(StrEnum):
    """What becomes of an issue with fewer stories than it should have."""

    HOLD = "hold"  # it waits for more, or for a person who approves it as it is
    SKIP = "skip"  # it does not appear
    SHORT = "short"  # it goes with what there is, if there is anything


@dataclass(frozen=True, kw_only=True)
class Policies:
    """What a schedule does when an issue is not as it should be.

    Attributes:
        unapproved: Where an approval is required: nobody gave it by the hour.
        too_few: Where none is required: the issue has fewer stories than `least`.
        least: The fewest stories an issue goes with by itself.
        collect_again: How long before the hour sources are collected once more, and
            stories looked up again; never before they are collected first. 0: only
            the stories are, at the hour.
    """

    unapproved: Unapproved = Unapproved.HOLD
    too_few: TooFew = TooFew.HOLD
    least: int = 1
    collect_again: timedelta = timedelta(minutes=15)


def check_policies(policies: Policies) -> Policies:
    """Refuse what cannot be followed.

    Raises:
        UsageError: Too many stories are asked for, or a time is negative.
    """
    if not 1 <= policies.least <= MOST_STORIES:
        raise UsageError(
            f"The fewest stories of an issue are 1 to {MOST_STORIES}.",
            "Example: --least 3",
        )
    if policies.collect_again < timedelta(0):
        raise UsageError("The collect_again time is negative.", "Example: 15m")
    return policies


def describe_policies(policies: Policies) -> Mapping[str, Any]:
    """Return policies as they are stored and audited: durations in seconds."""
    return {
        "unapproved": policies.unapproved,
        "too_few": policies.too_few,
        "least": policies.least,
        "collect_again": int(policies.collect_again.total_seconds()),
    }
