"""An SMTP server that runs beside a test that is not asynchronous."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Protocol


class Server(Protocol):
    """What listens while it is entered."""

    @property
    def port(self) -> int:
        """Where."""


@contextmanager
def running(
    make: Callable[[], AbstractAsyncContextManager[Server]],
) -> Iterator[int]:
    """Run a server on a thread of its own; yields its port."""
    started, ports = threading.Event(), list[int]()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with make() as sink:
            ports.append(sink.port)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    started.wait(5)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
