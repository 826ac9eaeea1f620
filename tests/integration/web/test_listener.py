"""The listener over real sockets: what never ends a request ends its connection."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from digest.bootstrap import Service
from digest.web import server
from digest.web.app import make_app
from tests.builders import add_newsletter


@pytest.fixture
def port(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The pages, whose patience with a request's head is short."""
    monkeypatch.setattr(server, "_HEAD_SECONDS", 0.2)
    add_newsletter(service.db)
    ports: SimpleQueue[int] = SimpleQueue()
    stop = asyncio.Event()
    loop = asyncio.new_event_loop()

    def run() -> None:
        app = make_app(service)
        serving = server.serve(
            app, host="127.0.0.1", port=0, stop=stop, ready=ports.put
        )
        loop.run_until_complete(serving)
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield ports.get(timeout=10)
    loop.call_soon_threadsafe(stop.set)
    thread.join(timeout=10)


def answer_to(port: int, *pieces: bytes) -> bytes:
    """Send pieces and read until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        try:
            for piece in pieces:
                client.sendall(piece)
            return b"".join(iter(lambda: client.recv(65_536), b""))
        except (ConnectionResetError, BrokenPipeError):
            return b""


@pytest.mark.parametrize("piece", [b"", b"GET / HT"], ids=["silent", "begun"])
def test_a_head_that_never_ends_is_hung_up_on(port: int, piece: bytes) -> None:
    assert answer_to(port, piece) == b""


def test_so_is_one_after_a_whole_request(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while not answer.endswith(b"up\n"):
            answer += client.recv(65_536)
        client.sendall(b"GET / HT")
        rest = client.recv(65_536)

    assert rest == b""


@pytest.mark.parametrize(
    "head",
    [b"X: " + b"x" * 2_000_000, b"X: y\r\n" * 300_000],
    ids=["one field", "many fields"],
)
def test_a_head_without_measure_is_hung_up_on(port: int, head: bytes) -> None:
    answer = answer_to(port, b"GET / HTTP/1.1\r\nHost: x\r\n", head, b"\r\n\r\n")

    assert b"200 OK" not in answer


def test_an_ordinary_body_is_no_head(port: int) -> None:
    fields = b"Host: x\r\nContent-Length: 10000\r\nConnection: close\r\n"

    answer = answer_to(port, b"POST /u/x HTTP/1.1\r\n" + fields + b"\r\n", b"x" * 10000)

    assert answer.startswith(b"HTTP/1.1 200 OK")
