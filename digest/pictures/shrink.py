"""Have a picture decoded in a process of its own, limited in time and memory.

Decoders are where hostile pictures strike; here nothing of them is ever decoded.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import Any

from digest.domain.errors import RefusedError
from digest.domain.pictures import LARGE, PictureFile, PictureKind

MOST_OCTETS = 15_000_000
MEGABYTES = 256  # of address space, all of Python and its libraries included
SECONDS = 10
_MOST_ANSWERED = 10_000_000
_STARTS = {PictureKind.JPEG: b"\xff\xd8\xff", PictureKind.PNG: b"\x89PNG\r\n\x1a\n"}
_MODULE = "digest.pictures.process"
_ROOT = Path(__file__).parents[2]
_MEND = "Give a JPEG or PNG of 1200 × 675 pixels or more."


@dataclass(frozen=True, kw_only=True)
class Shrunk:
    """One file of our own.

    Attributes:
        file: What it is.
        body: Its octets.
    """

    file: PictureFile
    body: bytes


def shrink(body: bytes) -> tuple[Shrunk, Shrunk]:
    """Make the two files that readers get of a picture.

    Args:
        body: As fetched or uploaded; its name and declared type do not count.

    Returns:
        The small and the large one; equal where the original is small.

    Raises:
        RefusedError: It is no picture, damaged, or beyond a limit.
    """
    if len(body) > MOST_OCTETS:
        raise RefusedError(
            f"The picture is larger than {MOST_OCTETS // 1_000_000} MB.", _MEND
        )
    head, _, rest = _run(body).partition(b"\n")
    try:
        answer = json.loads(head)
        if "error" in answer:
            reason = str(answer["error"])[:200]
            raise RefusedError(f"The picture is not taken. {reason}", _MEND)
        small, large = _read(answer["files"], rest)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RefusedError(
            "The picture took too much time or memory to decode.", _MEND
        ) from None
    return small, large


def _run(body: bytes) -> bytes:
    command = (sys.executable, "-P", "-m", _MODULE, str(MEGABYTES), str(SECONDS))
    with TemporaryFile() as given:
        given.write(body)
        given.seek(0)
        child = subprocess.Popen(  # noqa: S603 - our own module, fixed arguments
            command,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )
        timer = Timer(SECONDS + 5, _kill, (child,))
        timer.start()
        with child:
            assert child.stdout is not None
            try:
                # Bounded: it might answer without end.
                return child.stdout.read(_MOST_ANSWERED)
            finally:
                timer.cancel()
                _kill(child)


def _environment() -> dict[str, str]:
    """Leave our settings out: a process that is taken over finds no password."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DIGEST_")}
    return kept | {"PYTHONPATH": str(_ROOT)}


def _kill(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def _read(described: Any, rest: bytes) -> list[Shrunk]:
    """Take the answer apart, believing none of it.

    Raises:
        ValueError: It is not what an untouched process answers.
        TypeError: Likewise.
    """
    found = []
    if len(described) != 2:  # noqa: PLR2004 - the small and the large one
        raise ValueError(described)
    for kind, width, height, length in described:
        body, rest = rest[:length], rest[length:]
        known = PictureKind(kind)
        is_whole = type(width) is type(height) is int
        is_fit = len(body) == length and 0 < width <= LARGE and 0 < height <= 2 * LARGE
        if not (is_whole and is_fit) or not body.startswith(_STARTS[known]):
            raise ValueError(kind)
        name = hashlib.sha256(body).hexdigest()
        file = PictureFile(hash=name, kind=known, width=width, height=height)
        found.append(Shrunk(file=file, body=body))
    return found
