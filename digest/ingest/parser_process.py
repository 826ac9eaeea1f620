"""Run a parser in a process of its own, limited in time and memory.

Parsers of pages and feeds take any amount of both on hostile input, and crash.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

SECONDS = 20
MEGABYTES = 1_500  # of address space, which is far more than is used
_ROOT = Path(__file__).parents[2]


class Job(StrEnum):
    """What the process is to do."""

    PAGE = "page"  # extraction.extract
    FEED = "feed"  # extraction.parse_feed


def run_apart(
    job: Job, document: bytes, url: str | None = None
) -> dict[str, Any] | None:
    """Parse a document in a new process.

    Args:
        job: What to do.
        document: UTF-8.
        url: Where it came from.

    Returns:
        What the parser found; None where it crashed or reached a limit.
    """
    command = (sys.executable, "-P", "-m", "digest.ingest.extraction")
    limits = (str(MEGABYTES), str(SECONDS))
    try:
        done = subprocess.run(  # noqa: S603 - our own module, fixed arguments
            [*command, job, *limits, url or ""],
            input=document,
            capture_output=True,
            timeout=SECONDS + 5,
            check=False,
            env=without_settings(os.environ) | {"PYTHONPATH": str(_ROOT)},
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return answer


def without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Leave our variables out: a parser that is taken over finds no password there."""
    return {k: v for k, v in environ.items() if not k.startswith("DIGEST_")}
