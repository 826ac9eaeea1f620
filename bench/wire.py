"""A relay far away: hands every piece on a little later, in both directions.

`python -m bench.delay LISTEN TARGET SECONDS`: ports of 127.0.0.1, and the time from a
command to its answer. Connections do not wait for one another, and neither do pieces.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.processes import free_port, module, running


@contextmanager
def delayed(target: int, seconds: float) -> Iterator[int]:
    """Run one before a server; yields its port."""
    port = free_port()
    command = module("bench.delay", str(port), str(target), str(seconds))
    with running(command, port=port):
        yield port


class _Side(asyncio.Protocol):
    """One end of a connection; what it hears, the other end says later."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.transport: asyncio.Transport | None = None
        self.other: _Side | None = None
        self.early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        for data in self.early:
            transport.write(data)

    def data_received(self, data: bytes) -> None:
        asyncio.get_running_loop().call_later(self.delay, self._hand_on, data)

    def connection_lost(self, _exc: Exception | None) -> None:
        asyncio.get_running_loop().call_later(self.delay, self._close_other)

    def _hand_on(self, data: bytes) -> None:
        assert self.other is not None
        if self.other.transport is None:
            self.other.early.append(data)
        else:
            self.other.transport.write(data)

    def _close_other(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()


class _Front(_Side):
    """The end that clients connect to; opens the other one."""

    def __init__(self, delay: float, target: int) -> None:
        super().__init__(delay)
        self.target = target

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        back = self.other = _Side(self.delay)
        back.other = self
        loop = asyncio.get_running_loop()
        opening = loop.create_connection(lambda: back, "127.0.0.1", self.target)
        self.opening = loop.create_task(opening)


async def _serve(port: int, target: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Front(seconds / 2, target), "127.0.0.1", port, backlog=1000
    )
    await server.serve_forever()


def main() -> None:
    """Serve until killed."""
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))


if __name__ == "__main__":
    main()
