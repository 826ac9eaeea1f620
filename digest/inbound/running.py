"""Everything that takes mail in, side by side."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog

from digest.bootstrap import Service
from digest.inbound import handling, listener
from digest.inbound.mailboxes import read_mailboxes
from digest.storage.engine import TROUBLE

_log = structlog.get_logger()
_SWEEP_SECONDS = 60.0


async def run(
    service: Service, *, stop: asyncio.Event, ready: Callable[[int], None]
) -> None:
    """Listen, read mailboxes and go through what waits, until told to stop.

    Args:
        service: The installation.
        stop: Set it to end.
        ready: Called with the listener's port, where there is one.

    Raises:
        DigestError: The listener's address cannot be listened on.
    """
    parts = [_sweep(service, stop), read_mailboxes(service, stop=stop)]
    if service.settings.inbound.protocol != "none":
        parts.append(listener.listen(service, stop=stop, ready=ready))
    tasks = [asyncio.create_task(part) for part in parts]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    stop.set()
    await asyncio.gather(*tasks)


async def _sweep(service: Service, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await asyncio.to_thread(handling.sweep, service)
        except (*TROUBLE, OSError):
            _log.exception("inbound.not_swept")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _SWEEP_SECONDS)
