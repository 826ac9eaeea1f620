"""Sources, on both kinds of database."""

from datetime import timedelta

import pytest

from digest.domain.errors import NotFoundError, StateError
from digest.domain.sources import Source
from digest.storage import sources
from digest.storage.engine import Database
from tests.builders import NOW, add_newsletter

URL = "https://delta.example/feed/"


def add(db: Database, url: str = URL, *, newsletter_id: int = 1) -> Source:
    with db.write() as tx:
        return sources.add(
            tx,
            newsletter_id=newsletter_id,
            url=url,
            kind="feed",
            title="Delta",
            every=timedelta(hours=1),
            now=NOW,
        )


@pytest.fixture(autouse=True)
def _newsletter(db: Database) -> None:
    add_newsletter(db)


def test_finds_a_source_by_number_or_address(db: Database) -> None:
    source = add(db)

    with db.read() as tx:
        assert sources.find(tx, str(source.id)) == sources.find(tx, URL) == source


@pytest.mark.parametrize("name", ["99", "9" * 30, "https://other.example/", "²"])
def test_names_a_source_that_does_not_exist(db: Database, name: str) -> None:
    with db.read() as tx, pytest.raises(NotFoundError, match="no source"):
        sources.find(tx, name)


def test_an_address_that_two_newsletters_have_names_neither(db: Database) -> None:
    other = add_newsletter(db, slug="daily", list_id="daily.news.example.test")
    first, second = add(db), add(db, newsletter_id=other.id)

    with db.read() as tx, pytest.raises(StateError, match=f"{first.id}, {second.id}"):
        sources.find(tx, URL)


def test_refuses_a_source_twice(db: Database) -> None:
    add(db)

    with pytest.raises(StateError, match="already"):
        add(db)


def test_pages_go_oldest_first(db: Database) -> None:
    first, second, third = (add(db, f"{URL}{n}") for n in range(3))

    with db.read() as tx:
        assert sources.list_page(tx, 1, None, 2) == [first, second]
        assert sources.list_page(tx, None, second.id) == [third]


def test_a_success_keeps_the_validators_and_forgets_the_error(db: Database) -> None:
    source = add(db)
    with db.write() as tx:
        sources.mark_failed(tx, source.id, "gone")
        failed = sources.find(tx, URL)
        sources.mark_collected(
            tx, source.id, title="D", etag='"1"', last_modified=None, now=NOW
        )

    with db.read() as tx:
        found = sources.find(tx, URL)
    assert failed.last_error == "gone"
    assert (found.title, found.etag, found.last_error, found.collected_at) == (
        "D",
        '"1"',
        None,
        NOW,
    )


def test_is_due_when_its_interval_has_passed(db: Database) -> None:
    source = add(db)
    with db.write() as tx:
        sources.mark_collected(
            tx, source.id, title="", etag=None, last_modified=None, now=NOW
        )
        collected = sources.find(tx, URL)

    assert source.is_due(NOW)
    assert not collected.is_due(NOW + timedelta(minutes=59))
    assert collected.is_due(NOW + timedelta(hours=1))
