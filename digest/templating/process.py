"""The process that `apart` starts: limits first, then the operator's templates."""

import json
import pickle
import resource
import signal
import sys
import traceback
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import FrameType
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader, TemplateNotFound, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from digest.templating import furnish
from digest.templating.apart import (
    LONGEST_SUBJECT,
    MEGABYTES,
    MOST_OCTETS,
    SECONDS,
    Task,
)

_LONGEST_REASON = 200
_GRACE = 0.2  # for a stop that names the line, before one that cannot be put off


class _TooLongError(Exception):
    """The template computes for too long."""


class _TooMuchError(Exception):
    """The template writes too much; the message says how much is allowed."""


def main() -> None:
    """Do one task from stdin; write its parts, or its fault, as JSON to stdout."""
    # Ours, from the process that started this one; what goes back is JSON.
    task: Task = pickle.load(sys.stdin.buffer)  # noqa: S301 - said above
    environment = prepare(task)
    _limit()
    answer = perform(task, environment)
    # The time limit must not end what is over.
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    json.dump(answer, sys.stdout)


def prepare(task: Task) -> ImmutableSandboxedEnvironment:
    """Make the sandbox: the operator's files before the shipped ones."""
    loader = ChoiceLoader([FileSystemLoader(task.own), FileSystemLoader(task.root)])
    environment = ImmutableSandboxedEnvironment(loader=loader)
    furnish(environment, task.root, task.language)
    return environment


def perform(task: Task, environment: ImmutableSandboxedEnvironment) -> dict[str, Any]:
    """Render what a task names.

    Returns:
        Either `parts`, or `fault` with `place`.
    """
    parts: list[str] = []
    for path in task.paths:
        # For the case that this process does not live to say more.
        print(path, file=sys.stderr, flush=True)  # noqa: T201 - said above
        try:
            parts.append(_render(environment, path, task))
        # The template's author may have written anything; each way to fail is theirs.
        except Exception as error:  # noqa: BLE001 - said above
            place = _place(error, [task.own, task.root]) or path
            return {"fault": _reason(error), "place": place}
    return {"parts": parts}


def _render(environment: ImmutableSandboxedEnvironment, path: str, task: Task) -> str:
    template = environment.get_template(path)
    if task.context is None:
        return ""
    pieces = template.generate(task.context, language=task.language)
    is_subject = path.endswith("/subject.txt")
    text = "".join(_capped(pieces, LONGEST_SUBJECT if is_subject else MOST_OCTETS))
    if path.endswith(".html"):
        # Broken markup can take hours to read: here it does so within the limit.
        reader = HTMLParser()
        reader.feed(text)
        reader.close()
    return text


def _capped(pieces: Iterator[str], most: int) -> Iterator[str]:
    left = most
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise _TooMuchError(f"it writes more than {most:,} characters.")
        yield piece


def _limit() -> None:
    """Bound memory and time; the second clock cannot be put off by a long operation."""
    octets = MEGABYTES * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (octets, octets))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS - _GRACE)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _TooLongError


def _reason(error: Exception) -> str:
    if isinstance(error, _TooLongError):
        return f"it takes more than {SECONDS:g} seconds of computing."
    if isinstance(error, _TooMuchError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"it needs more than {MEGABYTES} MB."
    if isinstance(error, TemplateNotFound):
        return f"there is no template {error.name!r}."
    said = (str(error).splitlines() or [""])[0][:_LONGEST_REASON].rstrip(".")
    return f"{said or type(error).__name__}."


def _place(error: Exception, folders: list[Path]) -> str | None:
    """Name the line of a template that an error comes from."""
    if isinstance(error, TemplateSyntaxError):
        return f"{error.name}, line {error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        for folder in folders:
            path = Path(frame.filename)
            if path.is_relative_to(folder):
                return f"{path.relative_to(folder).as_posix()}, line {frame.lineno}"
    return None


if __name__ == "__main__":
    main()
