"""Variants: what a choice of sections shows, and how many letters that takes."""

import re
from collections.abc import Sequence
from itertools import combinations

import pytest
from sqlalchemy import update

from digest.compose.render import Renderings
from digest.compose.view import edition_view
from digest.domain.editions import Edition, Variant
from digest.domain.newsletters import Newsletter, WhenEmpty
from digest.domain.states import DeliveryState, SkipReason
from digest.domain.subscribers import LetterFormat
from digest.send.release import release
from digest.storage import editions, tables
from digest.storage.engine import Database
from digest.templating import Templates
from tests.builders import NOW, SITE, add_newsletter
from tests.integration.compose.conftest import Desk
from tests.posting import DESK, add_reader, rows_of
from tests.weeks import add_article, english_week, make_edition, make_story

SLUGS = ("arts", "features", "good", "news")
CHOICES = [",".join(c) for size in range(4) for c in combinations(SLUGS, size)]


def every_choice() -> list[tuple[str, Variant]]:
    edition, newsletter, stories = english_week()
    made = Renderings(edition, newsletter, stories, templates=Templates(), site=SITE)
    return [(c, made.variant(c, LetterFormat.HTML)) for c in CHOICES]


def test_every_choice_shows_its_sections_and_the_lead() -> None:
    _, _, stories = english_week()

    for choice, variant in every_choice():
        wanted = set(choice.split(",")) if choice else set(SLUGS)
        shown = {s.article_id for s in stories if s.title[:40] in variant.text}
        expected = {s.article_id for s in stories[1:] if s.section in wanted}
        assert shown == expected | {1}, choice


def test_both_parts_of_every_choice_have_the_same_stories() -> None:
    link = re.compile(r"stories\.example\.test/\d+")

    for choice, variant in every_choice():
        assert variant.html is not None
        assert set(link.findall(variant.text)) == set(link.findall(variant.html)), (
            choice
        )


def test_choices_that_show_the_same_are_rendered_once() -> None:
    edition, newsletter, _ = english_week()
    stories = [make_story(1), make_story(2, section="arts")]
    made = Renderings(edition, newsletter, stories, templates=Templates(), site=SITE)

    arts = made.variant("arts", LetterFormat.HTML)
    more = made.variant("arts,features,gone", LetterFormat.HTML)
    text = made.variant("arts", LetterFormat.TEXT)
    news = made.variant("news", LetterFormat.HTML)

    assert arts.html is more.html
    assert (text.html, text.text) == (None, arts.text)
    assert news.html != arts.html


@pytest.mark.parametrize(
    ("sections", "is_bare", "shown"),
    [
        ("", False, [1, 2]),
        ("arts", True, [1]),
        ("news", False, [1, 2]),
        ("arts,news", False, [1, 2]),
        ("gone", False, [1, 2]),  # all are erased or renamed: everything
        ("arts,gone", True, [1]),
    ],
)
def test_an_erased_section_does_not_count(
    *, sections: str, is_bare: bool, shown: list[int]
) -> None:
    _, newsletter, _ = english_week()
    stories = [make_story(1), make_story(2)]

    view = edition_view(
        make_edition(), newsletter, stories, sections=sections.split(",")
    )

    assert [s.article_id for s in view.stories] == shown
    assert view.is_bare == is_bare


def test_a_lead_of_the_chosen_section_is_a_story_of_it() -> None:
    _, newsletter, _ = english_week()

    view = edition_view(
        make_edition(), newsletter, [make_story(1, section="arts")], sections=["arts"]
    )

    assert not view.is_bare


def test_a_bare_letter_says_why_it_is_short() -> None:
    edition, newsletter, stories = english_week()
    made = Renderings(
        edition, newsletter, stories[:3], templates=Templates(), site=SITE
    )

    letter = made.variant("arts", LetterFormat.HTML)

    assert letter.is_bare
    assert "The sections you chose have no story this week" in letter.text
    assert "The sections you chose have no story this week" in str(letter.html)


def _rename(db: Database, newsletter: Newsletter, slug: str, to: str) -> None:
    c = tables.sections.c
    with db.write() as tx:
        tx.execute(
            update(tables.sections)
            .where(c.newsletter_id == newsletter.id, c.slug == slug)
            .values(slug=to)
        )


def _prepared(
    db: Database, choices: Sequence[str], **changes: object
) -> tuple[Newsletter, Edition]:
    """Readers of these choices; an approved edition of two stories of news."""
    newsletter = add_newsletter(db, **changes)
    for number, choice in enumerate(choices):
        add_reader(db, newsletter, f"r{number}@example.com", sections=choice)
    desk = Desk(db, Templates())
    for title in ("The town council meets", "The town council sleeps"):
        add_article(db, newsletter, title=title)
    return newsletter, desk.approve(desk.compose().edition.id).edition


def test_readers_of_empty_sections_get_the_lead(db: Database) -> None:
    _, edition = _prepared(db, ["", "arts", "news"])

    release(db, edition_id=edition.id, site=SITE, key_id=1, actor=DESK, now=NOW)

    assert {row.state for row in rows_of(db, edition)} == {DeliveryState.QUEUED}


def test_readers_of_empty_sections_are_skipped_by_setting(db: Database) -> None:
    _, edition = _prepared(
        db, ["", "arts", "arts,features", "news", "gone"], when_empty=WhenEmpty.SKIP
    )

    release(db, edition_id=edition.id, site=SITE, key_id=1, actor=DESK, now=NOW)

    found = {row.address: (row.state, row.reason) for row in rows_of(db, edition)}
    skipped = (DeliveryState.SKIPPED, SkipReason.NO_STORIES)
    assert found == {
        "r0@example.com": (DeliveryState.QUEUED, None),
        "r1@example.com": skipped,
        "r2@example.com": skipped,
        "r3@example.com": (DeliveryState.QUEUED, None),
        "r4@example.com": (DeliveryState.QUEUED, None),
    }


def test_a_renamed_section_leaves_its_readers_with_everything(
    sqlite_db: Database,
) -> None:
    newsletter, edition = _prepared(sqlite_db, ["arts"])
    _rename(sqlite_db, newsletter, "arts", "culture")
    desk = Desk(sqlite_db, Templates())
    desk.approve(edition.id)

    variants = desk.freeze(edition.id)

    named = {(v.sections, v.format): v for v in variants}
    assert not named["arts", "html"].is_bare
    assert named["arts", "html"].html == named["", "html"].html


def test_renderings_grow_with_choices_not_with_readers(sqlite_db: Database) -> None:
    _, edition = _prepared(sqlite_db, ["", "arts", "news"] * 20)

    with sqlite_db.read() as tx:
        count = len(editions.variants(tx, edition.id))

    assert count == 4  # everything as HTML and as text; two choices as HTML
