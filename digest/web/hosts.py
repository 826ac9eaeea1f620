"""Which host names the pages answer to (attack A10)."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from digest.web.errors import http_error

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_PORT = re.compile(r":\d*$")
# Asked by the address of a machine.
_HEALTH = frozenset({"/healthz", "/readyz"})


class HostsMiddleware:
    """Refuses what is meant for another site, such as a name that was rebound to us.

    One-click posts pass under any name: leaving works through every proxy, and its
    answer holds no link.

    Args:
        app: What answers the others.
        base_url: Our own address.
        trusted: Further names.
    """

    def __init__(self, app: ASGIApp, *, base_url: str, trusted: Iterable[str]) -> None:
        self.app = app
        own = urlsplit(base_url).netloc
        self._names = {_name_of(name) for name in (own, *_LOOPBACK, *trusted)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that it came to the wrong place."""
        if scope["type"] != "http" or self._is_ours(scope):
            await self.app(scope, receive, send)
            return
        # RFC 9110 §15.5.20: the server cannot answer for the target's authority
        refused = HTTPException(421)
        answer = await run_in_threadpool(http_error, Request(scope), refused)
        await answer(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        path, method = scope["path"], scope["method"]
        if path in _HEALTH or (method == "POST" and path.startswith("/u/")):
            return True
        named = Headers(scope=scope).getlist("Host")
        # RFC 9112 §3.2: more than one is an error.
        return len(named) == 1 and _name_of(named[0]) in self._names


def _name_of(host: str) -> str:
    return _PORT.sub("", host.strip().lower()).removesuffix(".")
