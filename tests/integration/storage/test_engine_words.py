"""What a database's errors say."""

import sys

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from digest.domain.errors import SettingsError
from digest.storage.engine import Database


def test_an_error_quotes_nobodys_address(db: Database) -> None:
    with pytest.raises(DBAPIError) as caught, db.read() as tx:
        tx.execute(text("SELECT :a FROM nowhere"), {"a": "alice@example.test"})

    assert "alice" not in str(caught.value)


def test_without_its_driver_the_mend_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(SettingsError, match="psycopg") as caught:
        Database("postgresql://db.example/digest")

    assert "requirements/postgres.txt" in caught.value.mend
