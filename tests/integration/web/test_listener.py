"""The listener over real sockets: what never ends a request ends its connection."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from digest.bootstrap import Service
from digest.web import server
from tests.builders import add_newsletter
from tests.e2e.serving import serving


@pytest.fixture
def port(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The pages, whose patience with a request's head is short."""
    monkeypatch.setattr(server, "_HEAD_SECONDS", 0.2)
    add_newsletter(service.db)
    with serving(service) as address:
        found = urlsplit(address).port
        assert found is not None
        yield found


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


HOST = b"Host: localhost\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /u/x HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\n",
        b"POST /u/x HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n"
        b"Content-Length: 44\r\n\r\nxGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /u/x HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
        b"POST /u/x HTTP/1.1\r\n" + HOST + b"Content-Length: 1e9\r\n\r\n",
        b"POST /u/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\n" + HOST + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n" + HOST + b"\r\n",
    ],
    ids=[
        "both lengths",
        "two lengths",
        "negative",
        "not a number",
        "no chunk",
        "blank before the colon",
        "nul",
        "nul in the method",
        "tls",
        "version",
    ],
)
def test_what_is_no_request_is_refused_once_and_hung_up_on(
    port: int, request_: bytes
) -> None:
    """RFC 9112 §6.1, §6.3: nothing behind it is taken for another request."""
    answer = answer_to(port, request_)

    assert answer.count(b"HTTP/1.1 ") <= 1
    assert b"HTTP/1.1 2" not in answer
    assert b"up\n" not in answer


def test_two_hosts_or_a_foreign_one_in_the_target_are_refused(port: int) -> None:
    two = answer_to(
        port,
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n"
        b"Connection: close\r\n\r\n",
    )
    foreign = answer_to(
        port,
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n"
        b"Connection: close\r\n\r\n",
    )

    assert [each.split(b" ", 2)[1] for each in (two, foreign)] == [b"421", b"421"]


def test_a_form_without_end_is_refused_at_its_limit(port: int) -> None:
    fields = HOST + b"Content-Type: application/x-www-form-urlencoded\r\n"
    chunks = (b"4000\r\n" + b"x" * 0x4000 + b"\r\n") * 3

    answer = answer_to(
        port,
        b"POST /subscribe HTTP/1.1\r\n" + fields,
        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunks,
        b"0\r\n\r\n",
    )

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_after_all_that_it_still_answers(port: int) -> None:
    for junk in (b"\x00" * 100, b"GET", b"\r\n" * 1000, b"A" * 70_000):
        answer_to(port, junk)

    answer = answer_to(
        port, b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    )

    assert answer.endswith(b"up\n")
