"""A real web server on loopback that answers what a test tells it to."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One response."""

    body: bytes | str = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request, as it came."""

    path: str
    headers: Mapping[str, str]
    method: str = "GET"


Route = Answer | Callable[[Asked], Answer]


class WebServer:
    """Routes by path with query; what is not routed answers 404.

    Attributes:
        routes: Path → answer, or a function of the request.
        asked: Every request, in order.
        stall: Paths whose answer never comes while the test runs.
    """

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self.asked: list[Asked] = []
        self.stall: set[str] = set()
        self.over = Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    def url(self, path: str) -> str:
        """Return the address of a path."""
        return f"http://127.0.0.1:{self.server.server_address[1]}{path}"

    def _handler(site) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler's self is another
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                asked = Asked(
                    path=self.path,
                    headers=dict(self.headers.items()),
                    method=self.command,
                )
                site.asked.append(asked)
                if self.path in site.stall:
                    site.over.wait(10)
                    self.close_connection = True
                    return
                route = site.routes.get(self.path, Answer(status=404))
                self._send(route if isinstance(route, Answer) else route(asked))

            def _send(self, answer: Answer) -> None:
                body = answer.body
                octets = body.encode() if isinstance(body, str) else body
                self.send_response(answer.status)
                headers = {"Content-Length": str(len(octets))} | dict(answer.headers)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(b"" if self.command == "HEAD" else octets)
                except OSError:
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        return Handler


@contextmanager
def running(site: WebServer) -> Iterator[WebServer]:
    """Serve while the block runs."""
    site.server.daemon_threads = True
    thread = Thread(target=site.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.over.set()
        site.server.shutdown()
        thread.join()
        site.server.server_close()
