"""What a database's errors say."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from digest.storage.engine import Database


def test_an_error_quotes_nobodys_address(db: Database) -> None:
    with pytest.raises(DBAPIError) as caught, db.read() as tx:
        tx.execute(text("SELECT :a FROM nowhere"), {"a": "alice@example.test"})

    assert "alice" not in str(caught.value)
