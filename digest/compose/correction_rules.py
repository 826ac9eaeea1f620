"""Preflight rules of a correction: what it says, and of which edition."""

from collections.abc import Iterator

from digest.compose.finding import Finding, refuse, warn
from digest.compose.posting import Known
from digest.compose.view import clean
from digest.domain.editions import Edition


def check_correction(
    edition: Edition, known: Known, *, prefix: str
) -> Iterator[Finding]:
    """Check that a correction says so, says what, and can go.

    Args:
        edition: The correction.
        known: How far the edition is that was wrong.
        prefix: What its subject should begin with.
    """
    if not clean(edition.opening):
        yield refuse(
            "correction-words",
            "The correction says nothing: write what was wrong and what is right.",
            "opening",
        )
    if not clean(edition.subject).startswith(prefix):
        yield warn(
            "correction-subject",
            f"The subject does not begin with {prefix!r}: readers take it for an "
            "issue.",
            "subject",
        )
    if known.still_sending:
        yield warn(
            "correction-early",
            f"Edition {edition.corrects} is still being sent to "
            f"{known.still_sending:,} of its readers: the correction can go only when "
            "that is over, or recalled.",
            "edition",
        )
