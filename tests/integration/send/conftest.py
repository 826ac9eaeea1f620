"""A port nobody listens on."""

import socket
from collections.abc import Iterator

import pytest


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port that refuses connections as long as the test runs."""
    with socket.socket() as taken:
        # Bound but not listening: nobody else can take it meanwhile.
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
