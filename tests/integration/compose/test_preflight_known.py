"""Preflight knows earlier issues, what readers chose, and who they are."""

from datetime import timedelta

import pytest

from digest.compose.preflight import Preflight, check
from digest.domain.newsletters import Newsletter
from digest.domain.states import EditionState
from digest.storage import editions
from digest.storage.engine import Database
from tests.builders import NOW, SITE, add_newsletter
from tests.integration.compose.conftest import RELAYED, Desk
from tests.posting import add_reader
from tests.weeks import ISSUE_DATE, add_article

WEEK = timedelta(days=7)


@pytest.fixture
def weekly(sqlite_db: Database) -> Newsletter:
    return add_newsletter(sqlite_db)


def checked(desk: Desk, edition_id: int) -> Preflight:
    return check(
        desk.db,
        edition_id=edition_id,
        templates=desk.templates,
        site=SITE,
        posting=RELAYED,
    )


def places(found: Preflight, rule: str) -> list[str]:
    return [f.where for f in found.warnings if f.rule == rule]


def test_a_story_of_the_issue_before_is_named(desk: Desk, weekly: Newsletter) -> None:
    first = add_article(desk.db, weekly, title="The council meets").id
    second = add_article(desk.db, weekly, title="The council meets again").id
    desk.compose(issue_date=ISSUE_DATE, articles=[first])
    later = desk.compose(issue_date=ISSUE_DATE + WEEK, articles=[second, first])

    found = checked(desk, later.edition.id)

    assert places(found, "repeated-story") == [f"article {first}"]


def test_only_the_last_four_issues_count_and_none_that_was_cancelled(
    desk: Desk, weekly: Newsletter
) -> None:
    ids = [add_article(desk.db, weekly, title=f"Part {n}").id for n in range(6)]
    for number, article in enumerate(ids):
        issue_date = ISSUE_DATE + number * WEEK
        made = desk.compose(issue_date=issue_date, articles=[article]).edition
        if number == 4:
            with desk.db.write() as tx:
                editions.move(tx, made, EditionState.CANCELLED, now=NOW)
    last = desk.compose(issue_date=ISSUE_DATE + 6 * WEEK, articles=ids).edition

    found = checked(desk, last.id)

    assert places(found, "repeated-story") == [
        f"article {ids[n]}" for n in (1, 2, 3, 5)
    ]


def test_a_readers_address_in_the_words_is_found(
    desk: Desk, weekly: Newsletter
) -> None:
    add_reader(desk.db, weekly, "bob@readers.example.test")
    words = "Write to Bob@readers.example.test or to tips@paper.example.test."
    add_article(desk.db, weekly, standfirst=words)
    edition = desk.compose(issue_date=ISSUE_DATE).edition

    found = checked(desk, edition.id)

    (stranger,) = [f for f in found.warnings if f.rule == "reader-address"]
    assert stranger.message.startswith("bob@readers.example.test is a reader's")


def test_a_section_that_readers_chose_and_that_is_empty_is_named(
    desk: Desk, weekly: Newsletter
) -> None:
    add_reader(desk.db, weekly, "alice@readers.example.test", sections="arts")
    add_reader(desk.db, weekly, "bob@readers.example.test", sections="arts,news")
    add_article(desk.db, weekly)
    edition = desk.compose(issue_date=ISSUE_DATE).edition

    found = checked(desk, edition.id)

    assert places(found, "empty-section") == ["sections arts"]
