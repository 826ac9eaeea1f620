"""Who is believed when they say for whom they ask."""

import asyncio
import http.client
from collections.abc import Sequence

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router

from digest.web.server import serve


async def answer(request: Request) -> Response:
    assert request.client is not None
    return PlainTextResponse(request.client.host)


async def ask(trusted_proxies: Sequence[str]) -> str:
    """Ask through a proxy on this machine for a reader at 203.0.113.9."""
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    serving = asyncio.create_task(
        serve(
            Router([Route("/", answer)]),
            host="127.0.0.1",
            port=0,
            stop=stop,
            ready=ready.set_result,
            trusted_proxies=trusted_proxies,
        )
    )
    port = await ready

    def get() -> str:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/", headers={"X-Forwarded-For": "203.0.113.9"})
        said = connection.getresponse().read().decode()
        connection.close()
        return said

    found = await asyncio.to_thread(get)
    stop.set()
    await serving
    return found


@pytest.mark.parametrize("trusted", ["127.0.0.1", "127.0.0.0/8"])
async def test_a_trusted_proxy_says_who_asks(trusted: str) -> None:
    assert await ask(["::1", trusted]) == "203.0.113.9"


@pytest.mark.parametrize("trusted", [[], ["10.0.0.0/8"]])
async def test_anybody_else_speaks_for_themselves(trusted: list[str]) -> None:
    assert await ask(trusted) == "127.0.0.1"
