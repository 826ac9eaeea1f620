"""Layouts of an operator's own, rendered; and what one that runs wild costs."""

import resource
from dataclasses import dataclass
from pathlib import Path

from digest.compose.render import render
from digest.templating import Letter, Templates
from digest.templating.apart import TemplateFaultError
from tests.builders import SITE
from tests.weeks import english_week

EDITION, NEWSLETTER, STORIES = english_week()


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """A layout that was stopped.

    Attributes:
        place: Where, as the fault names it.
        message: What the operator is told.
        seconds: Processor time of the process that rendered it.
        kilobytes: The most memory that any such process held so far.
    """

    place: str
    message: str
    seconds: float
    kilobytes: int


def rendered(own: Path, body: str, part: str = "body.html") -> Letter:
    """Render the English week by one file of an operator's, the rest as shipped."""
    (own / "email" / "classic" / part).write_text(body, encoding="utf-8")
    templates = Templates(own=own)
    return render(EDITION, NEWSLETTER, STORIES, templates=templates, site=SITE)


def stopped(own: Path, body: str) -> Stopped | None:
    """Render what is to be stopped; None: it was not.

    Call it in a small process: the memory of a process counts what it came from.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        rendered(own, body)
    except TemplateFaultError as fault:
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Stopped(
            place=fault.place,
            message=str(fault),
            seconds=spent,
            kilobytes=after.ru_maxrss,
        )
    return None
