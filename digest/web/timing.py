"""Answers that take the same time for every address (attack A9)."""

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.requests import Request


@asynccontextmanager
async def evenly(request: Request) -> AsyncGenerator[None, None]:
    """Let the block end at a beat of `make_app`, also where its work took longer."""
    loop, left = asyncio.get_running_loop(), asyncio.Event()
    started = loop.time()
    yield
    beat: float = request.app.state.answer_after
    if beat:
        beats = math.ceil((loop.time() - started) / beat)
        # An instant, not a length: that would begin when a busy loop comes to it.
        loop.call_at(started + beat * beats, left.set)
        await left.wait()
