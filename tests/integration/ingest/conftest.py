"""A newsletter, a web server and the guarded client."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.fetch.client import Fetcher, make_fetcher
from digest.storage.engine import Database
from tests.builders import add_newsletter
from tests.http_server import WebServer, running


@pytest.fixture
def pool(sqlite_db: Database) -> Database:
    """A database with the weekly."""
    add_newsletter(sqlite_db)
    return sqlite_db


@pytest.fixture
def site() -> Iterator[WebServer]:
    """A server that answers what the test tells it to."""
    with running(WebServer()) as server:
        yield server


@pytest.fixture(scope="session")
def fetcher() -> Fetcher:
    """The client, allowed to reach the test's servers."""
    return make_fetcher(allow_private=True)


@pytest.fixture
def material() -> Path:
    """What the readers' tests read."""
    return Path(__file__).parents[2] / "unit" / "ingest" / "material"
