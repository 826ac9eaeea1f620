"""A whole database, copied from one kind to the other."""

from pathlib import Path

import pytest
from sqlalchemy import select, text

from digest.domain.errors import StateError
from digest.storage import copying, newsletters, schema
from digest.storage.engine import Database
from digest.storage.tables import metadata
from tests.builders import SITE, add_newsletter
from tests.posting import add_edition, add_reader, add_readers, release_edition


def fill(db: Database) -> None:
    """An edition at the post and a reader whose number is not the next."""
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 3)
    with db.write() as tx:
        tx.execute(text("DELETE FROM subscriptions WHERE id = 1"))
    edition = add_edition(db, newsletter)
    release_edition(db, edition, site=SITE)


def rows(db: Database) -> dict[str, list[tuple[object, ...]]]:
    with db.read() as tx:
        return {
            table.name: [
                tuple(row)
                for row in tx.execute(select(table).order_by(*table.primary_key))
            ]
            for table in metadata.sorted_tables
        }


def nothing(_table: str, _count: int) -> None:
    """Nobody is told."""


@pytest.fixture
def empty(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'empty.db'}")


def test_every_row_keeps_its_number(db: Database, empty: Database) -> None:
    fill(db)

    counts = copying.copy(db, empty, tell=nothing)

    copied = rows(empty)
    empty.close()
    assert copied == rows(db)
    assert counts == {name: len(found) for name, found in copied.items()}


@pytest.mark.postgres
def test_on_postgresql_new_rows_follow_the_copied_ones(
    sqlite_db: Database, postgres_db: Database
) -> None:
    fill(sqlite_db)
    schema.downgrade(postgres_db, "base")
    copying.copy(sqlite_db, postgres_db, tell=nothing)
    with postgres_db.read() as tx:
        newsletter = newsletters.get(tx, "weekly")

    added = add_reader(postgres_db, newsletter, "next@example.com")

    assert added == 4


def test_a_database_in_use_is_not_written_over(
    sqlite_db: Database, empty: Database
) -> None:
    schema.upgrade(empty)
    add_newsletter(empty)

    with pytest.raises(StateError, match="newsletters already"):
        copying.copy(sqlite_db, empty, tell=nothing)

    empty.close()


def test_a_database_is_not_copied_onto_itself(sqlite_db: Database) -> None:
    twin = Database(sqlite_db.url)

    with pytest.raises(StateError, match="onto itself"):
        copying.copy(sqlite_db, twin, tell=nothing)

    twin.close()


def test_an_empty_file_is_not_taken_for_the_old_database(
    sqlite_db: Database, empty: Database
) -> None:
    with pytest.raises(StateError, match=r"empty\.db holds no tables") as caught:
        copying.copy(empty, sqlite_db, tell=nothing)

    empty.close()
    assert "init" not in caught.value.mend


def test_a_newer_database_is_not_copied(sqlite_db: Database, empty: Database) -> None:
    with sqlite_db.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StateError, match=r"digest\.db is at schema 9999"):
        copying.copy(sqlite_db, empty, tell=nothing)

    empty.close()


def test_a_database_of_another_version_is_left_as_it_is(
    sqlite_db: Database, empty: Database
) -> None:
    schema.upgrade(empty, "0001")

    with pytest.raises(StateError, match="at schema 0001"):
        copying.copy(sqlite_db, empty, tell=nothing)

    found = schema.current(empty)
    empty.close()
    assert found == "0001"


def test_a_value_that_was_not_set_is_not_set_in_the_copy(
    sqlite_db: Database, empty: Database
) -> None:
    add_edition(sqlite_db, add_newsletter(sqlite_db))

    copying.copy(sqlite_db, empty, tell=nothing)

    query = text("SELECT coalesce(CAST(frozen AS TEXT), 'NULL') FROM editions")
    with empty.read() as tx, sqlite_db.read() as original:
        copied, there = tx.execute(query).scalars(), original.execute(query).scalars()
        assert list(copied) == list(there)
    empty.close()
