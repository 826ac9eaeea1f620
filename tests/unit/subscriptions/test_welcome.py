"""The welcome letter: what it shows of the latest edition."""

from typing import Any

import pytest

from digest.domain.actor import READER
from digest.domain.addresses import parse_address
from digest.domain.own_links import OwnLinks
from digest.domain.states import EditionState
from digest.domain.subscribers import Origin
from digest.domain.tokens import Purpose
from digest.storage import editions, subscribers, subscriptions, tables
from digest.storage.engine import Database
from digest.subscriptions import opt_in, sign_up
from digest.templating import Templates
from tests.builders import NOW, SECRETS, SITE, add_newsletter
from tests.weeks import add_article, make_edition, make_story

BOB = parse_address("bob@example.test")
FORM = Origin(source="/", wording="One letter a week.")
PARTS: dict[str, Any] = {
    "origin": FORM,
    "site": SITE,
    "secrets": SECRETS,
    "templates": Templates(),
    "actor": READER,
    "now": NOW,
}
STORIES = [
    ("news", "Rafah \u202ecrossing\nclosed", "https://example.com/rafah"),
    ("arts", "A <b>film</b>", "https://example.com/film"),
    ("features", "Bread & salt", "https://example.com/salt"),
    *[("arts", f"More {n}", f"https://example.com/{n}") for n in range(6)],
]
PAGE = "https://news.example.test/archive/weekly/2024-05-12"


def welcome(db: Database, *, sections: tuple[str, ...] = ()) -> dict[str, Any]:
    """Sign bob up; return the letter that welcomes him."""
    sign_up.request(db, newsletter="weekly", address=BOB, sections=sections, **PARTS)
    with db.read() as tx:
        reader = subscribers.find(tx, BOB.key)
        assert reader is not None
        held = subscriptions.for_subscriber(tx, reader.id)[0]
    token = SECRETS.tokens.issue(Purpose.CONFIRM, held.id, at=NOW)
    opt_in.confirm(db, token=token, **PARTS)
    with db.read() as tx:
        query = tables.notices.select().where(tables.notices.c.kind == "welcome")
        return dict(tx.execute(query).mappings().one())


@pytest.fixture
def published(sqlite_db: Database) -> Database:
    """A weekly in the English of Cairo, and its released edition."""
    newsletter = add_newsletter(sqlite_db, own_links=OwnLinks(hosts=("example.com",)))
    stories = []
    for place, (section, title, url) in enumerate(STORIES, start=1):
        article = add_article(sqlite_db, newsletter, title=f"Story {place}", url=url)
        stories.append(
            make_story(
                article.id, section=section, position=place, title=title, url=url
            )
        )
    edition = make_edition(
        newsletter_id=newsletter.id,
        subject="Egypt refuses Rafah coordination",
        state=EditionState.SENT,
    )
    with sqlite_db.write() as tx:
        editions.insert_edition(tx, edition, stories)
    return sqlite_db


def test_shows_the_latest_editions_first_stories(published: Database) -> None:
    letter = welcome(published)

    assert "Egypt refuses Rafah coordination" in letter["text"]
    assert "Sunday 12 May 2024" in letter["text"]
    assert PAGE in letter["text"]
    assert f'href="{PAGE}"' in letter["html"]
    assert letter["text"].count("\n* ") == 5
    assert "Bread &amp; salt" in letter["html"]
    assert "A &lt;b&gt;film&lt;/b&gt;" in letter["html"]
    assert "Rafah crossing closed" in letter["html"]
    assert "https://example.com/rafah?utm_source=weekly" in letter["text"]


def test_shows_the_lead_and_the_chosen_sections(published: Database) -> None:
    letter = welcome(published, sections=("features",))

    assert "Rafah crossing closed" in letter["text"]
    assert "Bread & salt" in letter["text"]
    assert "film" not in letter["text"]


def test_before_the_first_edition_it_leads_to_the_archive(sqlite_db: Database) -> None:
    add_newsletter(sqlite_db)

    letter = welcome(sqlite_db)

    assert "The latest edition" not in letter["text"] + letter["html"]
    assert "https://news.example.test/archive?newsletter=weekly" in letter["text"]


def test_an_arabic_newsletter_welcomes_in_arabic(sqlite_db: Database) -> None:
    newsletter = add_newsletter(
        sqlite_db,
        language="ar",
        direction="rtl",
        name="الأسبوع",
        purpose="رسالة واحدة كل أسبوع.",
        theme={"digits": "arab"},
    )
    edition = make_edition(
        newsletter_id=newsletter.id, subject="معبر رفح", state=EditionState.SENT
    )
    with sqlite_db.write() as tx:
        editions.insert_edition(tx, edition, [])

    letter = welcome(sqlite_db)

    assert "أحدث عدد" in letter["text"]
    assert "١٢ مايو" in letter["text"]
    assert 'dir="rtl"' in letter["html"]
    assert letter["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
