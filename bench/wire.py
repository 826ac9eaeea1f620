"""A wire before a relay: hands every piece on, later if asked, and keeps what it heard.

`python -m bench.wire LISTEN TARGET [--round-trip SECONDS] [--keep FILE]`: ports of
127.0.0.1; the time from a command to its answer; a file for what clients said.
Connections do not wait for one another, and neither do pieces.
"""

import argparse
import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.processes import free_port, module, running

Listener = Callable[[bytes], None]


@contextmanager
def wired(
    target: int,
    *,
    port: int | None = None,
    round_trip: float = 0.0,
    keep: Path | None = None,
) -> Iterator[int]:
    """Run one before a server.

    Args:
        target: Port of the server; while nobody listens there, the wire hangs up.
        port: Where it listens; None: anywhere.
        round_trip: Seconds from a command to its answer.
        keep: A file to which every octet from clients is added as it came.

    Yields:
        Its port.
    """
    listen = port or free_port()
    kept = ["--keep", str(keep)] if keep else []
    options = ["--round-trip", str(round_trip), *kept]
    with running(module("bench.wire", str(listen), str(target), *options), port=listen):
        yield listen


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
        if self.delay:
            asyncio.get_running_loop().call_later(self.delay, self._hand_on, data)
        else:
            self._hand_on(data)

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

    def __init__(self, delay: float, target: int, listener: Listener) -> None:
        super().__init__(delay)
        self.target = target
        self.listener = listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        back = self.other = _Side(self.delay)
        back.other = self
        self.opening = asyncio.get_running_loop().create_task(self._open(back))

    def data_received(self, data: bytes) -> None:
        self.listener(data)
        super().data_received(data)

    async def _open(self, back: _Side) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: back, "127.0.0.1", self.target)
        except OSError:
            assert self.transport is not None
            self.transport.close()


async def _serve(options: argparse.Namespace) -> None:
    listener = _forget if options.keep is None else _keeper(options.keep)
    server = await asyncio.get_running_loop().create_server(
        lambda: _Front(options.round_trip / 2, options.target, listener),
        "127.0.0.1",
        options.listen,
        backlog=1000,
    )
    await server.serve_forever()


def _forget(_: bytes) -> None:
    """Keep nothing."""


def _keeper(path: Path) -> Listener:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def keep(data: bytes) -> None:
        os.write(file, data)

    return keep


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("listen", type=int)
    parser.add_argument("target", type=int)
    parser.add_argument("--round-trip", type=float, default=0.0)
    parser.add_argument("--keep", type=Path)
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
