"""A web server on loopback."""

from collections.abc import Iterator

import pytest

from tests.http_server import WebServer, running


@pytest.fixture
def site() -> Iterator[WebServer]:
    """A server that answers what the test tells it to."""
    with running(WebServer()) as server:
        yield server
