"""Pictures in the database: by content, by address, and how long they are kept."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError

from digest.domain.articles import Image
from digest.domain.editions import Edition
from digest.domain.pictures import Picture, PictureFile, PictureKind
from digest.domain.states import EditionState
from digest.storage import editions, pictures, tables
from digest.storage.copying import copy
from digest.storage.engine import Database, Tx
from tests.builders import NOW, add_newsletter
from tests.weeks import add_article, make_edition, make_story

LATER = NOW + timedelta(days=61)
URL = "https://pictures.example.test/lorries.jpg"


def put(db: Database, body: bytes = b"picture", **found: object) -> Picture:
    """A stored picture whose two files are one, known by its address."""
    name = hashlib.sha256(body).hexdigest()
    file = PictureFile(hash=name, kind=PictureKind.JPEG, width=500, height=300)
    picture = Picture(small=file, large=file)
    with db.write() as tx:
        pictures.put(tx, file, body, now=NOW)
        pictures.remember(tx, URL, picture=picture, now=NOW, **found)  # type: ignore[arg-type] # a flag
    return picture


def carry(db: Database, picture: Picture) -> Edition:
    """An edition whose one story shows it."""
    newsletter = add_newsletter(db)
    article = add_article(db, newsletter, image=Image(url=URL))
    story = make_story(article.id, position=1, picture=picture)
    with db.write() as tx:
        edition = make_edition(newsletter_id=newsletter.id)
        return editions.insert_edition(tx, edition, [story])


def sweep(db: Database) -> int:
    with db.write() as tx:
        return pictures.sweep(tx, before=LATER)


def put_again(tx: Tx) -> None:
    name = hashlib.sha256(b"picture").hexdigest()
    file = PictureFile(hash=name, kind=PictureKind.JPEG, width=500, height=300)
    pictures.put(tx, file, b"picture", now=NOW)


def kept(db: Database) -> int:
    with db.read() as tx:
        return tx.execute(
            select(func.count()).select_from(tables.pictures)
        ).scalar_one()


def test_a_file_is_found_by_name_and_kind_only(db: Database) -> None:
    file = put(db).large

    with db.read() as tx:
        assert pictures.load(tx, file.hash, PictureKind.JPEG) == b"picture"
        assert pictures.load(tx, file.hash, PictureKind.PNG) is None
        assert pictures.load(tx, "0" * 64, PictureKind.JPEG) is None
        assert pictures.is_there(tx, file.hash, PictureKind.JPEG)
        assert not pictures.is_there(tx, file.hash, PictureKind.PNG)


def test_the_same_octets_are_stored_once(db: Database) -> None:
    put(db)
    put(db)

    assert kept(db) == 1


def test_what_became_of_an_address_is_known(db: Database) -> None:
    picture = put(db)
    with db.write() as tx:
        pictures.remember(tx, "https://gone.example.test", error="404", now=NOW)

    with db.read() as tx:
        found = pictures.recall(tx, [URL, "https://gone.example.test", "https://x.y"])

    assert found[URL].picture == picture
    assert found["https://gone.example.test"] == pictures.Known(
        picture=None, error="404"
    )
    assert len(found) == 2


def test_a_second_try_replaces_the_first(db: Database) -> None:
    with db.write() as tx:
        pictures.remember(tx, URL, error="It is away.", now=NOW)
    picture = put(db)

    with db.read() as tx:
        known = pictures.recall(tx, [URL])[URL]

    assert known == pictures.Known(picture=picture, error="")


def test_a_story_comes_back_with_its_files(db: Database) -> None:
    picture = put(db)

    edition = carry(db, picture)

    with db.read() as tx:
        assert editions.stories(tx, edition.id)[0].picture == picture


def test_what_an_edition_shows_is_kept(db: Database) -> None:
    carry(db, put(db))

    assert sweep(db) == 0
    assert kept(db) == 1


def test_what_nobody_shows_goes_once_it_is_old(db: Database) -> None:
    put(db)
    with db.write() as tx:
        assert pictures.sweep(tx, before=NOW) == 0

    assert sweep(db) == 1
    with db.read() as tx:
        assert pictures.recall(tx, [URL]) == {}


@pytest.mark.parametrize(("released_at", "left"), [(None, 0), (NOW, 1)])
def test_a_cancelled_edition_keeps_what_readers_may_have_got(
    db: Database, released_at: object, left: int
) -> None:
    edition = carry(db, put(db))
    with db.write() as tx:
        tx.execute(
            update(tables.editions)
            .where(tables.editions.c.id == edition.id)
            .values(state=EditionState.CANCELLED, released_at=released_at)
        )

    sweep(db)

    assert kept(db) == left


def test_an_upload_is_kept_while_an_article_names_it(db: Database) -> None:
    put(db, uploaded=True)
    newsletter = add_newsletter(db)
    add_article(db, newsletter, image=Image(url=URL))

    sweep(db)

    assert kept(db) == 1


def test_an_upload_that_no_article_names_goes(db: Database) -> None:
    put(db, uploaded=True)

    sweep(db)

    assert kept(db) == 0


def test_what_was_used_just_now_is_not_swept(db: Database) -> None:
    picture = put(db)
    with db.write() as tx:
        pictures.use(tx, [picture], now=LATER)

    sweep(db)

    assert kept(db) == 1


@pytest.mark.parametrize("holds", [pictures.hold, put_again])
def test_a_sweep_waits_for_who_holds_files(
    postgres_db: Database, holds: Callable[[Tx], None]
) -> None:
    put(postgres_db)

    with postgres_db.write() as tx, postgres_db.write() as other:
        holds(tx)
        other.execute(text("SET LOCAL lock_timeout = '50ms'"))

        with pytest.raises(OperationalError, match="lock timeout"):
            pictures.sweep(other, before=NOW)


def test_readers_and_stories_do_not_wait_for_a_sweep(postgres_db: Database) -> None:
    picture = put(postgres_db)

    with postgres_db.write() as tx:
        pictures.sweep(tx, before=NOW)
        carry(postgres_db, picture)

    assert kept(postgres_db) == 1


def test_copying_a_database_takes_its_pictures_along(
    sqlite_db: Database, tmp_path: object
) -> None:
    picture = put(sqlite_db, bytes(range(256)))
    carry(sqlite_db, replace(picture))
    target = Database(f"sqlite:///{tmp_path}/other.db")

    copy(sqlite_db, target, tell=lambda _table, _count: None)

    with target.read() as tx:
        body = pictures.load(tx, picture.large.hash, PictureKind.JPEG)
        assert body == bytes(range(256))
    target.close()
