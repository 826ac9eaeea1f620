"""Answers that take the same time for every address (attack A9)."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.requests import Request


@asynccontextmanager
async def evenly(request: Request) -> AsyncGenerator[None, None]:
    """Let the block end at a beat of `make_app`, also where its work took longer."""
    started = time.monotonic()
    yield
    beat: float = request.app.state.answer_after
    taken = time.monotonic() - started
    await asyncio.sleep(-taken % beat if beat else 0.0)
