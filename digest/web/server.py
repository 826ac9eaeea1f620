"""The listener under the web application: one socket, a clean stop."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from digest.domain.errors import DigestError

_DRAIN_SECONDS = 3
_KEEP_ALIVE_SECONDS = 15
# Far above what one process answers; a flood is refused instead of queued.
_MOST_AT_ONCE = 500
# The parser below has no limits of its own: a head that never ends would hold its
# connection, and its memory, for ever.
_HEAD_SECONDS = 10
_HEAD_OCTETS = 64 * 1024


class _Server(uvicorn.Server):
    """Leaves signals to the process, which has other parts to stop too."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class _Protocol(HttpToolsProtocol):
    """Ends a connection whose request line and header fields are slow or endless."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head_ends: asyncio.TimerHandle | None = None
        self._head_octets = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as its own
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        self._head_octets += len(data)
        super().data_received(data)
        if self._is_between_requests():
            self._await_head()
            if self._head_octets > _HEAD_OCTETS:
                self.transport.close()
        else:
            self._head_octets = 0
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _is_between_requests(self) -> bool:
        # Before the first request there is no cycle, whatever its type says.
        return bool(getattr(self.cycle, "response_complete", True))

    def _await_head(self) -> None:
        if self._head_ends is None and not self.transport.is_closing():
            self._head_ends = self.loop.call_later(_HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._head_ends is not None:
            self._head_ends.cancel()
            self._head_ends = None


async def serve(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    stop: asyncio.Event,
    ready: Callable[[int], None],
    trusted_proxies: Sequence[str] = (),
) -> None:
    """Answer requests until told to stop; those under way have 3 s to end.

    Args:
        app: The application.
        host: The address to listen on.
        port: The port; 0: any free one.
        stop: Set it to end.
        ready: Called with the port once connections are taken.
        trusted_proxies: Addresses and networks whose X-Forwarded-For is believed.

    Raises:
        DigestError: The address cannot be listened on.
    """
    listener = _listen(host, port)
    server = _Server(_configure(app, trusted_proxies))
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="web")
    # The socket listens already: who connects before the server accepts is queued.
    ready(listener.getsockname()[1])
    ended = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, ended}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    server.should_exit = True
    await serving


def _configure(app: ASGIApp, trusted_proxies: Sequence[str]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Protocol,
        lifespan="off",
        access_log=False,  # paths hold tokens
        log_config=None,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=list(trusted_proxies),
        limit_concurrency=_MOST_AT_ONCE,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        ws="none",
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = "another program listens there"
        else:
            reason = error.strerror or str(error)
        raise DigestError(
            f"The pages cannot be served on {host} port {port}: {reason}.",
            "Set DIGEST_WEB__HOST and DIGEST_WEB__PORT.",
        ) from None
