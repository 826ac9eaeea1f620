"""One-click POSTs at a steady rate over kept connections, each answer timed.

A request that is late because those before it are slow counts from when it was due: a
load that waits for answers would hide just the moments that matter.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

_HOST = "127.0.0.1"
_URLENCODED = ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click")
_PART = 'Content-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click'
_MULTIPART = ("multipart/form-data; boundary=b", f"--b\r\n{_PART}\r\n--b--\r\n")
_GOOD = b"HTTP/1.1 200 "
_END_SECONDS = 60.0


@dataclass(kw_only=True)
class Told:
    """How a load was answered.

    Attributes:
        seconds: From the first request to the last answer.
        latencies: Of each answer, in seconds, sorted.
        bad: Answers that were not 200, and connections that ended early.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    bad: int = 0

    @property
    def per_second(self) -> float:
        """Answers of 200 a second."""
        return (len(self.latencies) - self.bad) / self.seconds

    def part(self, share: float) -> float:
        """Return the latency that a share of the answers kept, in milliseconds."""
        place = min(int(len(self.latencies) * share), len(self.latencies) - 1)
        return self.latencies[place] * 1000


def post(port: int, paths: Sequence[str], *, rate: float, connections: int) -> Told:
    """Post to each path once.

    Args:
        port: Of the pages, on 127.0.0.1.
        paths: Where to.
        rate: How many a second are begun; 0: as soon as a connection is free.
        connections: The most at one time.
    """
    return asyncio.run(_Load(port, paths, rate=rate, connections=connections).run())


class _Load:
    """Hands out what is due to connections that are free."""

    def __init__(
        self, port: int, paths: Sequence[str], *, rate: float, connections: int
    ) -> None:
        self._port = port
        self._requests = [_write(path, number) for number, path in enumerate(paths)]
        self._rate = rate
        self._connections = connections
        self._due: deque[tuple[float | None, bytes]] = deque()
        # In turn: the pages close a connection that has rested for seconds.
        self._free: deque[_Connection] = deque()
        self._told = Told()
        self._ended = asyncio.Event()

    async def run(self) -> Told:
        loop = asyncio.get_running_loop()
        for _ in range(self._connections):
            await loop.create_connection(lambda: _Connection(self), _HOST, self._port)
        began = time.perf_counter()
        await self._offer(began)
        async with asyncio.timeout(_END_SECONDS):
            await self._ended.wait()
        self._told.seconds = time.perf_counter() - began
        self._told.latencies.sort()
        for connection in self._free:
            connection.close()
        return self._told

    async def _offer(self, began: float) -> None:
        for number, request in enumerate(self._requests):
            due = began + number / self._rate if self._rate else None
            if due is not None and (rest := due - time.perf_counter()) > 0:
                await asyncio.sleep(rest)
            self._due.append((due, request))
            self._hand_out()

    def _hand_out(self) -> None:
        while self._free and self._due:
            due, request = self._due.popleft()
            self._free.popleft().begin(due or time.perf_counter(), request)

    def freed(self, connection: "_Connection") -> None:
        """Take a connection back."""
        self._free.append(connection)
        self._hand_out()

    def answered(self, latency: float, *, good: bool) -> None:
        """Count an answer."""
        self._told.latencies.append(latency)
        self._told.bad += not good
        if len(self._told.latencies) == len(self._requests):
            self._ended.set()


class _Connection(asyncio.Protocol):
    """One request at a time; an answer is read up to its Content-Length."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._due: float | None = None
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._load.freed(self)

    def begin(self, due: float, request: bytes) -> None:
        self._due, self._read = due, b""
        self._transport.write(request)

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._read += data
        if self._due is not None and _is_whole(self._read):
            self._end(good=self._read.startswith(_GOOD))
            self._load.freed(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        if self._due is not None:
            self._end(good=False)

    def _end(self, *, good: bool) -> None:
        assert self._due is not None
        latency, self._due = time.perf_counter() - self._due, None
        self._load.answered(latency, good=good)


def _write(path: str, number: int) -> bytes:
    """Write a request; every other one in the other encoding (RFC 8058 §3.2)."""
    kind, body = (_URLENCODED, _MULTIPART)[number % 2]
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {_HOST}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode("ascii")


def _is_whole(answer: bytes) -> bool:
    head, found, body = answer.lower().partition(b"\r\n\r\n")
    if not found:
        return False
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
    return len(body) >= length
