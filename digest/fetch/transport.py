"""The lower half of the client: sockets to checked addresses, under one deadline."""

import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpcore2
import httpx2

from digest.domain.errors import RefusedError
from digest.fetch.addresses import Permit, Resolve

Monotonic = Callable[[], float]


class FetchError(RefusedError):
    """Something was not fetched.

    Attributes:
        status: The HTTP status where the server's answer was the reason.
    """

    def __init__(self, message: str, mend: str = "", status: int | None = None) -> None:
        super().__init__(message, mend)
        self.status = status


class Deadline:
    """The instant by which everything must be done.

    Args:
        seconds: From now.
        monotonic: A clock that only goes forward.
    """

    def __init__(self, seconds: float, monotonic: Monotonic = time.monotonic) -> None:
        self.seconds = seconds
        self._monotonic = monotonic
        self._end = monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds left.

        Raises:
            FetchError: None are.
        """
        left = self._end - self._monotonic()
        if left <= 0:
            raise FetchError(
                f"The server took longer than {self.seconds:g} seconds.",
                "Try again later.",
            )
        return left


class _Stream(httpcore2.NetworkStream):
    """A connection whose every wait ends at the deadline."""

    def __init__(self, inner: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the deadline rules
        return self._inner.read(max_bytes, self._deadline.remaining())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - as above
        self._inner.write(buffer, self._deadline.remaining())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - as above
    ) -> httpcore2.NetworkStream:
        inner = self._inner.start_tls(
            ssl_context, server_hostname, self._deadline.remaining()
        )
        return _Stream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore2.NetworkBackend):
    """Connects only to addresses that are permitted."""

    def __init__(self, resolve: Resolve, permits: Permit, deadline: Deadline) -> None:
        self._resolve = resolve
        self._permits = permits
        self._deadline = deadline
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline rules
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        addresses = self._checked_addresses(host, port)
        for address in addresses[:-1]:
            try:
                return self._connect(address, port, local_address, socket_options)
            except httpcore2.ConnectError:
                continue
        return self._connect(addresses[-1], port, local_address, socket_options)

    def _connect(
        self,
        address: str,
        port: int,
        local_address: str | None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None,
    ) -> httpcore2.NetworkStream:
        inner = self._inner.connect_tcp(
            address, port, self._deadline.remaining(), local_address, socket_options
        )
        return _Stream(inner, self._deadline)

    def _checked_addresses(self, host: str, port: int) -> list[str]:
        try:
            addresses = list(self._resolve(host, port))
        except (OSError, UnicodeError) as error:
            raise FetchError(
                f"The name {host} has no address.", "Check its spelling."
            ) from error
        # One bad answer among good ones is the mark of a rebinding attempt.
        refused = [a for a in addresses if not self._permits(a)]
        if refused or not addresses:
            raise FetchError(
                f"{host} is at {', '.join(refused) or 'no address'}, which is not"
                " fetched from.",
                "For a server of your own network set"
                " DIGEST_FETCH__ALLOW_PRIVATE=true.",
            )
        return addresses


class _Body(httpx2.SyncByteStream):
    def __init__(self, stream: Iterable[bytes], pool: httpcore2.ConnectionPool) -> None:
        self._stream = stream
        self._pool = pool

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._pool.close()


class GuardedTransport(httpx2.BaseTransport):
    """One connection per request: a kept one would escape the next check.

    Args:
        resolve: From host name to addresses; called once per connection.
        permits: Which addresses may be connected to.
        deadline: When all must be done.
        tls: How servers prove their name.
    """

    def __init__(
        self,
        *,
        resolve: Resolve,
        permits: Permit,
        deadline: Deadline,
        tls: ssl.SSLContext,
    ) -> None:
        self._backend = _Backend(resolve, permits, deadline)
        self._tls = tls

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Carry one request; the host name stays the TLS server name (RFC 6066 §3)."""
        pool = httpcore2.ConnectionPool(
            ssl_context=self._tls, network_backend=self._backend, max_connections=1
        )
        url = httpcore2.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        try:
            answer = pool.handle_request(
                httpcore2.Request(
                    method=request.method,
                    url=url,
                    headers=request.headers.raw,
                    content=b"",
                )
            )
        except BaseException:
            pool.close()
            raise
        assert isinstance(answer.stream, Iterable)
        return httpx2.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer.stream, pool),
        )
