"""The public pages on a real socket, in a thread of their own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from digest.bootstrap import Service
from digest.web.app import make_app
from digest.web.server import serve


@contextmanager
def serving(service: Service) -> Iterator[str]:
    """Serve an installation's pages; yields their address."""
    ports: list[int] = []
    listening = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    def ready(port: int) -> None:
        ports.append(port)
        listening.set()

    def work() -> None:
        app = make_app(service, answer_after=0)
        loop.run_until_complete(
            serve(app, host="127.0.0.1", port=0, stop=stop, ready=ready)
        )
        loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert listening.wait(10)
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
