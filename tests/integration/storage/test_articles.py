"""The pool of stories, on both kinds of database."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from digest.domain.articles import EXCERPT, Article, Draft, Outcome, Stored
from digest.domain.errors import NotFoundError
from digest.domain.newsletters import Newsletter
from digest.domain.states import EditionState
from digest.storage import articles, tables
from digest.storage.engine import Database
from tests.builders import NOW, add_newsletter

BODY = tuple(f"Paragraph {n} " + "word " * 30 for n in range(3))
STORY = Draft(
    title="Harbour Lights",
    url="https://delta.example/2024/lights/?utm_source=rss",
    published_on=date(2024, 5, 10),
    paragraphs=BODY,
    categories=("Politics",),
)


@pytest.fixture
def weekly(db: Database) -> Newsletter:
    return add_newsletter(db)


def store(db: Database, newsletter: Newsletter, draft: Draft = STORY) -> Stored:
    with db.write() as tx:
        return articles.store(tx, draft, newsletter_id=newsletter.id, now=NOW)


def carry(
    db: Database, newsletter: Newsletter, article: Article, state: EditionState
) -> None:
    """Put a story into an edition, as rows."""
    blank: dict[str, Any] = dict.fromkeys(
        ("subject", "preheader", "opening", "opening_by", "why", "content_hash"), ""
    )
    with db.write() as tx:
        edition = tx.execute(
            insert(tables.editions)
            .values(
                newsletter_id=newsletter.id,
                kind="weekly",
                issue_date=date(2024, 5, 5),
                revision=0,
                number=1,
                state=state,
                created_at=NOW,
                updated_at=NOW,
                **blank,
            )
            .returning(tables.editions.c.id)
        ).scalar_one()
        tx.execute(
            insert(tables.stories).values(
                edition_id=edition,
                article_id=article.id,
                section="news",
                position=0,
                title=article.title,
                standfirst="",
                image_credit="",
                image_alt="",
                source="",
                word_count=1,
            )
        )


def propose(db: Database, newsletter: Newsletter) -> list[int]:
    with db.read() as tx:
        found = articles.candidates(
            tx,
            newsletter_id=newsletter.id,
            first=date(2024, 5, 6),
            last=date(2024, 5, 12),
            at=NOW,
        )
    return [article.id for article in found]


def test_stores_every_field(db: Database, weekly: Newsletter) -> None:
    stored = store(db, weekly)

    with db.read() as tx:
        found = articles.get(tx, stored.article.id)
    assert stored == Stored(outcome=Outcome.IMPORTED, article=found)
    assert (found.title, found.paragraphs, found.published_on) == (
        STORY.title,
        BODY,
        STORY.published_on,
    )
    assert found.word_count == 96


@pytest.mark.parametrize(
    "copy",
    [
        STORY,
        replace(STORY, url="http://www.delta.example/2024/lights#top"),
        replace(STORY, url="https://syndicate.example/copy"),
        replace(STORY, url=None),
    ],
)
def test_a_copy_is_the_same_story(
    db: Database, weekly: Newsletter, copy: Draft
) -> None:
    first = store(db, weekly)

    second = store(db, weekly, copy)

    assert second.article.id == first.article.id


def test_the_same_again_is_unchanged(db: Database, weekly: Newsletter) -> None:
    store(db, weekly)

    assert store(db, weekly).outcome is Outcome.UNCHANGED


def test_an_edited_story_is_updated(db: Database, weekly: Newsletter) -> None:
    first = store(db, weekly)

    second = store(db, weekly, replace(STORY, title="Harbour Lights On"))

    assert second.outcome is Outcome.UPDATED
    assert (second.article.id, second.article.title) == (
        first.article.id,
        "Harbour Lights On",
    )


def test_an_excerpt_does_not_undo_a_whole_story(
    db: Database, weekly: Newsletter
) -> None:
    store(db, weekly)

    again = store(db, weekly, replace(STORY, paragraphs=("Short.",), flags=(EXCERPT,)))

    assert (again.outcome, again.article.paragraphs) == (Outcome.UNCHANGED, BODY)


def test_short_items_of_two_addresses_are_two_stories(
    db: Database, weekly: Newsletter
) -> None:
    short = Draft(title="Weather", paragraphs=("Sunny.",))

    first = store(db, weekly, replace(short, url="https://a.example/1"))
    second = store(db, weekly, replace(short, url="https://a.example/2"))

    assert first.article.id != second.article.id


def test_each_newsletter_has_a_pool_of_its_own(
    db: Database, weekly: Newsletter
) -> None:
    other = add_newsletter(db, slug="arabic")
    store(db, weekly)

    assert store(db, other).outcome is Outcome.IMPORTED


def test_loads_many_in_the_order_asked(db: Database, weekly: Newsletter) -> None:
    ids = [
        store(db, weekly, Draft(title=title)).article.id for title in ("A", "B", "C")
    ]

    with db.read() as tx:
        found = articles.get_many(tx, ids[::-1])

    assert [article.id for article in found] == ids[::-1]


def test_names_the_articles_that_do_not_exist(db: Database) -> None:
    with db.read() as tx:
        with pytest.raises(NotFoundError, match="no article 7, 8"):
            articles.get_many(tx, [7, 8])
        with pytest.raises(NotFoundError, match="no article 7"):
            articles.get(tx, 7)


def test_pages_go_from_the_last_stored_backwards(
    db: Database, weekly: Newsletter
) -> None:
    ids = [store(db, weekly, Draft(title=t)).article.id for t in ("A", "B", "C")]

    with db.read() as tx:
        first = articles.list_page(tx, weekly.id, None, 2)
        second = articles.list_page(tx, None, first[-1].id, 2)

    assert [a.id for a in first + second] == ids[::-1]


def test_proposes_stories_of_the_dates_featured_and_newest_first(
    db: Database, weekly: Newsletter
) -> None:
    days = {"early": 5, "first": 6, "last": 12, "late": 13}
    ids = {
        name: store(
            db, weekly, Draft(title=name, published_on=date(2024, 5, day))
        ).article.id
        for name, day in days.items()
    }
    lead = Draft(title="lead", published_on=date(2024, 5, 7), featured=True)
    ids["lead"] = store(db, weekly, lead).article.id
    store(db, weekly, Draft(title="undated"))

    proposed = propose(db, weekly)

    assert proposed == [ids["lead"], ids["last"], ids["first"]]


@pytest.mark.parametrize("state", EditionState)
def test_never_proposes_what_an_edition_carries(
    db: Database, weekly: Newsletter, state: EditionState
) -> None:
    article = store(db, weekly).article
    carry(db, weekly, article, state)
    store(db, weekly, replace(STORY, title="Edited later"))

    proposed = propose(db, weekly)

    expected = [article.id] if state is EditionState.CANCELLED else []
    assert proposed == expected


def test_an_update_leaves_composed_stories_alone(
    db: Database, weekly: Newsletter
) -> None:
    article = store(db, weekly).article
    carry(db, weekly, article, EditionState.DRAFT)

    store(db, weekly, replace(STORY, title="Edited later"))

    with db.read() as tx:
        titles = tx.execute(tables.stories.select()).all()
    assert [row.title for row in titles] == ["Harbour Lights"]


def test_says_when_a_story_was_last_changed(db: Database, weekly: Newsletter) -> None:
    article = store(db, weekly).article
    with db.write() as tx:
        articles.store(
            tx,
            replace(STORY, title="Edited"),
            newsletter_id=weekly.id,
            now=NOW + timedelta(hours=1),
        )

    with db.read() as tx:
        row = tx.execute(
            tables.articles.select().where(tables.articles.c.id == article.id)
        ).one()
    assert (row.created_at, row.updated_at) == (NOW, NOW + timedelta(hours=1))
