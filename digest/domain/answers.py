"""When refusals on account of the sender are too many to go on.

Mailbox providers answer a bad reputation with more of it: whoever goes on sending
into 5.7.x makes matters worse. So an edition pauses itself and an operator decides.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

LAST = 200
"""How many answers of one domain, or of all together, are looked back on."""

LEAST = 10
"""Fewer refusals than this are no storm, whatever their share."""

ALL = "*"
"""Stands for every receiving domain: what the relay as a whole answers."""

_QUOTED = 3


@dataclass(frozen=True, kw_only=True)
class Refused:
    """One refusal on account of the sender, among other answers.

    Attributes:
        code: `550 5.7.1`: never the server's words, which may hold an address.
        others: Answers of another kind since the refusal before it.
    """

    code: str
    others: int


def look_back(refusals: Sequence[Refused]) -> tuple[Refused, ...]:
    """Keep what belongs to the last answers.

    Args:
        refusals: Oldest first.

    Returns:
        Those among the last `LAST` answers.
    """
    kept: list[Refused] = []
    room = LAST
    for refused in reversed(refusals):
        if room < 1:
            break
        kept.append(replace(refused, others=min(refused.others, room - 1)))
        room -= 1 + kept[-1].others
    return tuple(reversed(kept))


def count(refusals: Sequence[Refused]) -> int:
    """Count the answers of every kind that end with the last refusal."""
    return sum(1 + refused.others for refused in refusals)


def is_storm(refusals: Sequence[Refused], *, share: float) -> bool:
    """Tell whether too many of the last answers were refusals.

    Args:
        refusals: What `look_back` kept.
        share: The share that is still borne; 1: any.
    """
    return len(refusals) >= LEAST and len(refusals) > share * count(refusals)


def describe(domain: str, refusals: Sequence[Refused]) -> str:
    """Say in words what happened: who refused, how often, with which codes."""
    codes = Counter(refused.code for refused in refusals).most_common(_QUOTED)
    quoted = ", ".join(f"{code} ({times} times)" for code, times in codes)
    who = "The relay" if domain == ALL else domain
    return (
        f"{who} refused {len(refusals)} of the last {count(refusals)} letters "
        f"because of their sender: {quoted}"
    )
