"""The event loop that long work runs on."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Answer = TypeVar("Answer")


def run(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run to the end on uvloop, which is quicker; else on asyncio's own."""
    try:
        import uvloop  # noqa: PLC0415 - it does not exist everywhere
    except ModuleNotFoundError:
        return asyncio.run(work)
    return uvloop.run(work)
