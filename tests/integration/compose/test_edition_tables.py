"""Editions in the database, the same on SQLite and PostgreSQL."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from digest.domain.editions import Edition, Story, Variant
from digest.domain.errors import NotFoundError, StateError
from digest.domain.states import EditionKind, EditionState
from digest.storage import editions
from digest.storage.engine import Database
from tests.builders import NOW, add_newsletter
from tests.weeks import ISSUE_DATE, SPONSOR, add_article, make_edition, make_story


def stored(
    db: Database, *, titles: Sequence[str] = ("One",), **changes: object
) -> Edition:
    """An edition with a story for each title, of the one newsletter."""
    with db.read() as tx:
        known = editions.list_page(tx, limit=1)
    if known:
        newsletter_id = known[0].newsletter_id
        articles: list[Story] = []
    else:
        newsletter = add_newsletter(db)
        newsletter_id = newsletter.id
        articles = [
            make_story(add_article(db, newsletter, title=t).id, position=i)
            for i, t in enumerate(titles, start=1)
        ]
    with db.write() as tx:
        edition = make_edition(newsletter_id=newsletter_id, **changes)
        return editions.insert_edition(tx, edition, articles)


def test_gives_back_what_was_stored(db: Database) -> None:
    made = stored(db, titles=("One", "Two"), sponsor=SPONSOR, content_hash="a" * 64)

    with db.read() as tx:
        found = editions.get(tx, made.id)
        stories = editions.stories(tx, made.id)

    assert found == replace(
        make_edition(sponsor=SPONSOR, content_hash="a" * 64),
        id=made.id,
        newsletter_id=made.newsletter_id,
    )
    assert [(s.edition_id, s.position) for s in stories] == [(made.id, 1), (made.id, 2)]
    assert stories[0].image == make_story().image


def test_says_where_to_look_for_an_edition_that_is_not_there(db: Database) -> None:
    with db.read() as tx, pytest.raises(NotFoundError, match="editions list"):
        editions.get(tx, 99)


def test_an_issue_has_one_edition_for_each_revision(db: Database) -> None:
    stored(db)

    with pytest.raises(StateError, match="composed by somebody else"):
        stored(db)


def test_lists_the_newest_first_page_by_page(db: Database) -> None:
    ids = [stored(db, revision=n).id for n in (1, 2, 3)]

    with db.read() as tx:
        first = editions.list_page(tx, limit=2)
        rest = editions.list_page(tx, after=first[-1].id, limit=2)

    assert [[e.id for e in first], [e.id for e in rest]] == [ids[:0:-1], ids[:1]]


def test_finds_the_revisions_of_an_issue_latest_first(db: Database) -> None:
    newsletter_id = stored(db).newsletter_id
    stored(db, revision=2, number=20)
    stored(db, issue_date=ISSUE_DATE - timedelta(days=7))

    with db.read() as tx:
        found = editions.of_issue(
            tx,
            newsletter_id=newsletter_id,
            kind=EditionKind.WEEKLY,
            issue_date=ISSUE_DATE,
        )
        highest = editions.highest_number(tx, newsletter_id)

    assert [e.revision for e in found] == [2, 1]
    assert highest == 20


def test_counts_from_zero_before_the_first_issue(db: Database) -> None:
    with db.read() as tx:
        assert editions.highest_number(tx, 1) == 0


def test_moves_and_sets_what_goes_with_it(db: Database) -> None:
    made = stored(db)

    with db.write() as tx:
        moved = editions.move(
            tx, made, EditionState.APPROVED, now=NOW, approved_by="cli"
        )

    assert (moved.state, moved.approved_by) == (EditionState.APPROVED, "cli")


def test_refuses_a_move_the_table_does_not_allow(db: Database) -> None:
    made = stored(db)

    with db.write() as tx, pytest.raises(StateError, match="cannot become sent"):
        editions.move(tx, made, EditionState.SENT, now=NOW)


def test_of_two_moves_at_once_the_second_learns_it_came_late(db: Database) -> None:
    made = stored(db)
    with db.write() as tx:
        editions.move(tx, made, EditionState.APPROVED, now=NOW)

    with db.write() as tx, pytest.raises(StateError, match="somebody else"):
        editions.move(tx, made, EditionState.CANCELLED, now=NOW)


def test_writes_a_drafts_content_anew(db: Database) -> None:
    made = stored(db, titles=("One", "Two"), content_hash="a")
    with db.read() as tx:
        kept = editions.stories(tx, made.id)[1]

    with db.write() as tx:
        changed = editions.update(
            tx,
            replace(made, subject="Another", sponsor=SPONSOR, content_hash="b"),
            [replace(kept, position=1)],
            replaces="a",
            now=NOW + timedelta(hours=1),
        )
        stories = editions.stories(tx, made.id)

    assert (changed.subject, changed.sponsor) == ("Another", SPONSOR)
    assert changed.updated_at == NOW + timedelta(hours=1)
    assert [s.article_id for s in stories] == [kept.article_id]


def test_of_two_edits_at_once_the_second_is_refused(db: Database) -> None:
    made = stored(db, content_hash="b")

    with db.write() as tx, pytest.raises(StateError, match="somebody else"):
        editions.update(tx, made, [], replaces="a", now=NOW)


def test_keeps_and_drops_renderings(db: Database) -> None:
    made = stored(db)
    variant = Variant(
        edition_id=made.id, sections="", format="text", subject="S", html=None, text="T"
    )
    with db.write() as tx:
        kept = editions.put_variant(tx, variant)

    with db.write() as tx:
        before = editions.variants(tx, made.id)
        editions.drop_variants(tx, made.id)
        after = editions.variants(tx, made.id)

    assert (before, after) == ([kept], [])
    assert replace(kept, id=0) == variant


def test_knows_which_articles_an_issue_carried(db: Database) -> None:
    made = stored(db, titles=("One", "Two"))
    with db.read() as tx:
        ids = [s.article_id for s in editions.stories(tx, made.id)]
        carried = editions.carried(tx, [*ids, 999])
        besides = editions.carried(tx, ids, besides=made.id)

    assert (carried, besides) == (dict.fromkeys(ids, 19), {})


def test_an_article_of_a_cancelled_edition_is_free_again(db: Database) -> None:
    made = stored(db)
    with db.write() as tx:
        editions.move(tx, made, EditionState.CANCELLED, now=NOW)

    with db.read() as tx:
        ids = [s.article_id for s in editions.stories(tx, made.id)]
        assert editions.carried(tx, ids) == {}


def test_finds_scheduled_editions_whose_time_has_come(db: Database) -> None:
    due, early = stored(db), stored(db, revision=2)
    for edition, at in ((due, NOW), (early, NOW + timedelta(seconds=1))):
        with db.write() as tx:
            approved = editions.move(tx, edition, EditionState.APPROVED, now=NOW)
            editions.move(
                tx, approved, EditionState.SCHEDULED, now=NOW, scheduled_at=at
            )

    with db.read() as tx:
        assert editions.due(tx, now=NOW) == [due.id]
