"""The event loop that long work runs on."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

Answer = TypeVar("Answer")

# The ledger's thread comes back from each commit to lanes that wait for it; by default
# the interpreter lets it wait for up to 5 ms while the loop is busy.
_SWITCH_SECONDS = 0.0005


def run(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run to the end on uvloop, which is quicker; else on asyncio's own."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        import uvloop  # noqa: PLC0415 - it does not exist everywhere
    except ModuleNotFoundError:
        return asyncio.run(work)
    return uvloop.run(work)
