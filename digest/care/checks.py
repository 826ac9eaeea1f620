"""One check's result, and how a check is run so that its surprises are results too."""

from collections.abc import Callable
from dataclasses import dataclass

from digest.domain.errors import DigestError
from digest.storage.engine import TROUBLE, explain_trouble


@dataclass(frozen=True, kw_only=True)
class Check:
    """What one check found.

    Attributes:
        check: Its name.
        ok: Whether it passed; None: it was not made.
        detail: What was found.
        mend: What to do about it; empty where nothing is to do.
    """

    check: str
    ok: bool | None
    detail: str
    mend: str = ""


def passed(check: str, detail: str, mend: str = "") -> Check:
    """Make the result of a check that found all well; `mend` may advise."""
    return Check(check=check, ok=True, detail=detail, mend=mend)


def failed(check: str, detail: str, mend: str) -> Check:
    """Make the result of a check that found something to mend."""
    return Check(check=check, ok=False, detail=detail, mend=mend)


def skipped(check: str, why: str) -> Check:
    """Make the result of a check that was not made."""
    return Check(check=check, ok=None, detail=f"Not checked: {why}.")


def attempt(check: str, look: Callable[[], Check]) -> Check:
    """Run a check; an error that a person can mend is its result."""
    try:
        return look()
    except DigestError as error:
        return failed(check, error.message, error.mend)
    except TROUBLE as error:
        told = explain_trouble(error)
        return failed(check, told.message, told.mend)
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        return failed(check, f"{what}{error.strerror or error}.", "Mend that first.")
