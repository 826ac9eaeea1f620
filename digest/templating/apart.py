"""Render an operator's own layouts in a process of its own, within limits.

Jinja's sandbox keeps a template from reaching Python; what it cannot stop is a small
template that computes or writes without end. The kernel can, for a process.
"""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digest.domain.errors import DigestError

SECONDS = 0.8
"""Of computing, from the first octet of a template on."""
MEGABYTES = 512  # of address space, most of which the interpreter itself reserves
MOST_OCTETS = 1_000_000
LONGEST_SUBJECT = 2_000  # encoding a header field is slow beyond that
_PATIENCE = 20.0  # a busy machine may take long to give the process its second
_ROOT = Path(__file__).parents[2]
_MEND = "Mend it, or move it away: then the layout that was shipped serves."


class TemplateFaultError(DigestError):
    """An operator's template cannot be used.

    Attributes:
        place: File and line: `email/classic/body.html, line 12`.
    """

    def __init__(self, message: str, place: str) -> None:
        super().__init__(f"{place}: {message}", _MEND)
        self.place = place


@dataclass(frozen=True, kw_only=True)
class Task:
    """What the process is to do.

    Attributes:
        own: The operator's folder.
        root: The folder that was shipped, for what the other lacks.
        language: BCP 47 tag.
        paths: What to render, each below one of the two.
        context: What the templates may use; None: only compile them.
    """

    own: Path
    root: Path
    language: str
    paths: Sequence[str]
    context: Mapping[str, Any] | None


def run(task: Task) -> list[str]:
    """Render templates.

    Returns:
        What each came to.

    Raises:
        TemplateFaultError: One is malformed, uses what it may not, or computes,
            holds or writes too much.
    """
    command = (sys.executable, "-P", "-m", "digest.templating.process")
    written = said = b""
    with suppress(subprocess.TimeoutExpired):
        done = subprocess.run(  # noqa: S603 - our own module, no arguments
            command,
            input=pickle.dumps(task),
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
            env=_environment(),
        )
        written, said = done.stdout, done.stderr
    try:
        answer = json.loads(written)
    except ValueError:
        # The kernel ended it; it had said which of them it was at.
        begun = [path for path in task.paths if f"{path}\n".encode() in said]
        raise TemplateFaultError(
            f"it takes more than {SECONDS:g} seconds of computing, or crashes.",
            (begun or [*task.paths])[-1],
        ) from None
    if "fault" in answer:
        raise TemplateFaultError(answer["fault"], answer["place"])
    parts: list[str] = answer["parts"]
    return parts


def _environment() -> dict[str, str]:
    """Leave everything out: nothing of it is a template's business."""
    kept = {
        k: os.environ[k] for k in ("SYSTEMROOT", "LD_LIBRARY_PATH") & os.environ.keys()
    }
    return kept | {"PYTHONPATH": str(_ROOT), "PYTHONIOENCODING": "utf-8"}
