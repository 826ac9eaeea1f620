"""The guarded client, against real servers on loopback."""

import gzip
import socket
import ssl
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Event, Thread

import pytest

from digest.fetch.client import USER_AGENT, Fetcher, Limits, make_fetcher
from digest.fetch.transport import FetchError
from tests.fakes import make_certificate
from tests.http_server import Answer, Asked, WebServer, running

TLS = ssl.create_default_context()


def make_client(
    *, octets: int = 100_000, seconds: float = 5.0, redirects: int = 5
) -> Fetcher:
    return Fetcher(
        permits=lambda address: address == "127.0.0.1",
        limits=Limits(octets=octets, seconds=seconds, redirects=redirects),
        tls=TLS,
    )


def test_returns_body_and_validators(site: WebServer) -> None:
    site.routes["/a"] = Answer(
        body="hello",
        headers={"ETag": '"1"', "Last-Modified": "x", "Content-Type": "text/html"},
    )

    answer = make_client().get(site.url("/a"))

    assert (answer.body, answer.etag, answer.last_modified, answer.content_type) == (
        b"hello",
        '"1"',
        "x",
        "text/html",
    )


def test_says_who_asks_and_sends_no_cookie_back(site: WebServer) -> None:
    site.routes["/a"] = Answer(
        status=302, headers={"Location": "/b", "Set-Cookie": "id=1"}
    )
    site.routes["/b"] = Answer()

    make_client().get(site.url("/a"))

    assert site.asked[1].headers["User-Agent"] == USER_AGENT
    assert "Cookie" not in site.asked[1].headers


def test_gives_a_304_as_a_value(site: WebServer) -> None:
    def route(asked: Asked) -> Answer:
        known = asked.headers.get("If-None-Match") == '"1"'
        dated = (
            asked.headers.get("If-Modified-Since") == "Sun, 12 May 2024 10:00:00 GMT"
        )
        return Answer(status=304 if known and dated else 200)

    site.routes["/a"] = route

    answer = make_client().get(
        site.url("/a"), etag='"1"', last_modified="Sun, 12 May 2024 10:00:00 GMT"
    )

    assert answer.not_modified


def test_names_the_status_of_a_refusal(site: WebServer) -> None:
    with pytest.raises(FetchError, match="404") as caught:
        make_client().get(site.url("/missing"))

    assert caught.value.status == 404


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://user:secret@example.com/",
        "http:///path",
        "javascript:alert(1)",
        "http://exa mple.com/",
        "http://[::1",
    ],
)
def test_refuses_what_is_no_plain_web_address(url: str) -> None:
    with pytest.raises(FetchError, match="not an address that can be fetched"):
        make_client().get(url)


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate"])
def test_decodes_compressed_answers(site: WebServer, encoding: str) -> None:
    packed = zlib.compress(b"news") if encoding == "deflate" else gzip.compress(b"news")
    site.routes["/a"] = Answer(body=packed, headers={"Content-Encoding": encoding})

    answer = make_client().get(site.url("/a"))

    assert answer.body == b"news"


def test_stops_a_decompression_bomb_at_the_cap(site: WebServer) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    site.routes["/a"] = Answer(body=bomb, headers={"Content-Encoding": "gzip"})

    with pytest.raises(FetchError, match=r"larger than 0\.1 MB"):
        make_client().get(site.url("/a"))


def test_stops_a_large_body_before_reading_it(site: WebServer) -> None:
    site.routes["/a"] = Answer(body=b"x" * 200_000)

    with pytest.raises(FetchError, match="larger than"):
        make_client().get(site.url("/a"))


@contextmanager
def speaking(octets: bytes, *, then_wait: bool = False) -> Iterator[str]:
    """Serve one connection with exactly these octets, then close it or fall silent."""
    over = Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            with suppress(OSError):
                connection.sendall(octets)
            if then_wait:
                over.wait(10)

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        over.set()
        thread.join()
        listener.close()


def test_stops_a_large_body_that_declares_no_length() -> None:
    chunk = b"%x\r\n%s\r\n" % (50_000, b"x" * 50_000)
    octets = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 9

    with speaking(octets) as url, pytest.raises(FetchError, match="larger than"):
        make_client().get(url)


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        (b"Content-Encoding: gzip", b"not gzip at all", "damaged"),
        (b"Content-Encoding: gzip", gzip.compress(b"x" * 99)[:-9], "breaks off"),
        (b"Content-Encoding: br", b"x", "encoding 'br'"),
        (b"Content-Length: 10", b"short", "could not be fetched"),
    ],
)
def test_names_what_is_wrong_with_a_body(
    headers: bytes, body: bytes, reason: str
) -> None:
    octets = b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + headers + b"\r\n\r\n" + body

    with speaking(octets) as url, pytest.raises(FetchError, match=reason):
        make_client().get(url)


@pytest.mark.parametrize(
    "octets",
    [b"", b"220 mail.example ESMTP\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 999_999],
)
def test_refuses_what_is_no_web_server(octets: bytes) -> None:
    with speaking(octets) as url, pytest.raises(FetchError, match="could not be"):
        make_client().get(url)


@pytest.mark.parametrize(
    "octets",
    [b"", b"HTTP/1.1 200 OK\r\nX-", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"],
)
def test_ends_at_the_time_limit_wherever_a_server_falls_silent(octets: bytes) -> None:
    with (
        speaking(octets, then_wait=True) as url,
        pytest.raises(FetchError, match=r"longer than 0\.1 seconds"),
    ):
        make_client(seconds=0.1).get(url)


def test_the_time_limit_holds_for_all_hops_together(site: WebServer) -> None:
    site.routes["/a"] = Answer(status=302, headers={"Location": "/a"})
    ticks = count(step=2)
    client = Fetcher(
        permits=lambda _: True,
        limits=Limits(seconds=20),
        monotonic=lambda: next(ticks),
        tls=TLS,
    )

    with pytest.raises(FetchError, match="longer than 20 seconds"):
        client.get(site.url("/a"))


def test_says_that_a_server_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(FetchError, match="could not be fetched"):
        make_client().get(f"http://127.0.0.1:{port}/")


def test_says_that_a_name_has_no_address() -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror

    client = Fetcher(resolve=resolve, tls=TLS)

    with pytest.raises(FetchError, match=r"news\.example has no address"):
        client.get("http://news.example/")


def test_follows_redirects_and_says_where_it_ended(site: WebServer) -> None:
    site.routes["/a"] = Answer(status=301, headers={"Location": "b#there"})
    site.routes["/b"] = Answer(body="here")

    answer = make_client().get(site.url("/a"))

    assert (answer.url, answer.body) == (site.url("/b#there"), b"here")


def test_follows_no_more_redirects_than_the_limit(site: WebServer) -> None:
    for n in range(9):
        site.routes[f"/{n}"] = Answer(status=307, headers={"Location": f"/{n + 1}"})

    with pytest.raises(FetchError, match="more than 5 times"):
        make_client().get(site.url("/0"))

    assert len(site.asked) == 6


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "http://0.0.0.0/",
        "http://[::]/",
        "http://2852039166/",
    ],
)
def test_refuses_a_redirect_to_an_address_that_is_not_permitted(
    site: WebServer, target: str
) -> None:
    site.routes["/a"] = Answer(status=302, headers={"Location": target})
    client = make_fetcher(allow_private=True)

    with pytest.raises(FetchError, match="not fetched from"):
        client.get(site.url("/a"))


@pytest.mark.parametrize("target", ["file:///etc/passwd", "gopher://127.0.0.1/", ""])
def test_refuses_a_redirect_out_of_the_web(site: WebServer, target: str) -> None:
    site.routes["/a"] = Answer(status=302, headers={"Location": target})

    with pytest.raises(FetchError, match=r"not an address|more than 5 times"):
        make_client().get(site.url("/a"))


def test_refuses_loopback_unless_allowed(site: WebServer) -> None:
    client = make_fetcher(allow_private=False)

    with pytest.raises(FetchError, match="DIGEST_FETCH__ALLOW_PRIVATE"):
        client.get(site.url("/a"))

    assert site.asked == []


class Rebinding:
    """A name that answers something else each time it is asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)

    def __call__(self, *_: object) -> Sequence[str]:
        return self.answers.pop(0)


def test_connects_to_the_address_it_checked(site: WebServer) -> None:
    site.routes["/a"] = Answer(body="first")
    resolve = Rebinding(["127.0.0.1"], ["127.0.0.2"])
    client = Fetcher(permits=lambda a: a == "127.0.0.1", resolve=resolve, tls=TLS)
    port = site.server.server_address[1]

    answer = client.get(f"http://news.example:{port}/a")

    assert answer.body == b"first"
    assert len(resolve.answers) == 1


def test_checks_again_at_each_hop(site: WebServer) -> None:
    site.routes["/a"] = Answer(status=302, headers={"Location": "/b"})
    resolve = Rebinding(["127.0.0.1"], ["127.0.0.2"])
    client = Fetcher(permits=lambda a: a == "127.0.0.1", resolve=resolve, tls=TLS)
    port = site.server.server_address[1]

    with pytest.raises(FetchError, match=r"127\.0\.0\.2"):
        client.get(f"http://news.example:{port}/a")


def test_refuses_a_name_with_one_bad_answer_among_good_ones(site: WebServer) -> None:
    resolve = Rebinding(["127.0.0.1", "10.0.0.1"])
    client = Fetcher(permits=lambda a: a == "127.0.0.1", resolve=resolve, tls=TLS)

    with pytest.raises(FetchError, match=r"10\.0\.0\.1"):
        client.get(f"http://news.example:{site.server.server_address[1]}/")

    assert site.asked == []


def test_tries_the_next_address_where_one_is_dead(site: WebServer) -> None:
    site.routes["/a"] = Answer(body="second")
    resolve = Rebinding(["::1", "127.0.0.1"])
    client = Fetcher(permits=lambda _: True, resolve=resolve, tls=TLS)

    answer = client.get(f"http://news.example:{site.server.server_address[1]}/a")

    assert answer.body == b"second"


def test_the_host_name_stays_the_tls_server_name(tmp_path: Path) -> None:
    shown = make_certificate(tmp_path, host="news.example")
    with running(WebServer()) as site:
        site.server.socket = shown.server.wrap_socket(
            site.server.socket, server_side=True
        )
        site.routes["/a"] = Answer(body="secret")
        client = Fetcher(
            permits=lambda _: True,
            resolve=lambda _host, _port: ["127.0.0.1"],
            tls=ssl.create_default_context(cafile=shown.ca_file),
        )
        port = site.server.server_address[1]

        answer = client.get(f"https://news.example:{port}/a")
        with pytest.raises(FetchError, match="CERTIFICATE_VERIFY_FAILED"):
            client.get(f"https://other.example:{port}/a")

    assert answer.body == b"secret"
