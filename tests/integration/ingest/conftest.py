"""A newsletter to import into."""

import pytest

from digest.storage.engine import Database
from tests.builders import add_newsletter


@pytest.fixture
def pool(sqlite_db: Database) -> Database:
    """A database with the weekly."""
    add_newsletter(sqlite_db)
    return sqlite_db
