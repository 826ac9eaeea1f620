"""Newsrooms on either database."""

from dataclasses import replace

import pytest

from digest.bootstrap import Service
from digest.storage.engine import Database
from tests.integration.schedule.newsroom import Newsroom, furnish


@pytest.fixture
def room(service: Service) -> Newsroom:
    """A newsroom on SQLite with one story and one reader."""
    return furnish(service)


@pytest.fixture
def shared_room(service: Service, db: Database) -> Newsroom:
    """The same on either database."""
    return furnish(replace(service, db=db))
