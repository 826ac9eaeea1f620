"""One thing that preflight found."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is wrong, and where.

    Attributes:
        rule: Stable name: `subject-length`.
        message: One line for a person, with the mend where it is not obvious.
        where: `subject`, `article 12`, `newsletter`, …
        is_warning: Whether whoever approves may accept it.
    """

    rule: str
    message: str
    where: str
    is_warning: bool = False


def refuse(rule: str, message: str, where: str) -> Finding:
    """Make an error."""
    return Finding(rule=rule, message=message, where=where)


def warn(rule: str, message: str, where: str) -> Finding:
    """Make a warning."""
    return Finding(rule=rule, message=message, where=where, is_warning=True)
