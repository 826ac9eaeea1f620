"""Several newsletters of one installation do not get into each other's way."""

import email
import email.policy
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path

import pytest
from sqlalchemy import update

from digest.bootstrap import Service
from digest.domain.letters import Sender
from digest.domain.rhythms import weekly as on
from digest.fetch.client import Fetcher
from digest.ingest import collecting
from digest.schedule.turn import tick
from digest.send.worker import drain
from digest.storage import articles, editions, sources, tables
from tests.builders import NOW, make_newsletter
from tests.http_server import Answer, WebServer
from tests.integration.schedule.newsroom import DESK, DUE, HOUR, Newsroom, furnish
from tests.posting import Inbox, make_post

DESK_OF_ARABIC = Sender(
    name="الأسبوع",
    address="arabic@news.example.test",
    reply_to="arabic-desk@news.example.test",
)


@pytest.fixture
def rooms(service: Service) -> tuple[Newsroom, Newsroom]:
    """A weekly at 19:00 in Cairo, one in Arabic an hour later; a reader of each."""
    english = furnish(service)
    arabic = Newsroom(
        service,
        slug="arabic",
        name="الأسبوع",
        language="ar",
        direction="rtl",
        sender=DESK_OF_ARABIC,
        list_id="arabic.news.example.test",
        theme={"accent": "#0B5D3B"},
        sections=make_newsletter().sections[:1],
    )
    arabic.add_story(
        title="المجلس يجتمع ويتفق على الميزانية بعد تسع ساعات",
        url="http://127.0.0.1:9/arabic",
        standfirst="استغرق الاتفاق تسع ساعات.",
        language="ar",
    )
    arabic.add_reader("huda")
    english.set()
    arabic.set(at=time(20, 0), rhythm=on(6))
    return english, arabic


def go(room: Newsroom, now: datetime) -> None:
    tick(replace(room.service, clock=lambda: now), now)


async def test_each_has_its_own_stories_hour_readers_language_and_theme(
    rooms: tuple[Newsroom, Newsroom],
) -> None:
    english, _ = rooms
    inbox = Inbox()
    for hours in (-1, 0):
        go(english, DUE + hours * HOUR)
    first = english.states()
    go(english, DUE + HOUR)

    async with inbox.sink() as sink:
        await drain(make_post(english.db, sink.port), clock=lambda: DUE + HOUR)

    letters = {
        letter.recipients[0]: email.message_from_bytes(
            letter.message, policy=email.policy.default
        )
        for letter in inbox.received
        if letter.sender.startswith("bounces+") and b"List-Id" in letter.message
    }
    assert sorted(first) == ["draft", "sending"]
    assert set(letters) == {"alice@example.com", "huda@example.com"}
    alice, huda = letters["alice@example.com"], letters["huda@example.com"]
    assert "weekly.news.example.test" in alice["List-Id"]
    assert "arabic.news.example.test" in huda["List-Id"]
    assert (alice["Content-Language"], huda["Content-Language"]) == ("en", "ar")
    assert huda["Reply-To"] == "arabic-desk@news.example.test"
    parts = [letter.get_body(("html",)) for letter in (alice, huda)]
    texts = [part.get_content() if part else "" for part in parts]
    assert ["#0B5D3B" in text for text in texts] == [False, True]
    assert ["The council met" in text for text in texts] == [True, False]
    assert ["المجلس يجتمع" in text for text in texts] == [False, True]


def test_one_that_cannot_go_does_not_hold_up_the_other(
    rooms: tuple[Newsroom, Newsroom],
) -> None:
    english, arabic = rooms
    with english.db.write() as tx:
        tx.execute(
            update(tables.newsletters)
            .where(tables.newsletters.c.id == english.newsletter.id)
            .values(template="gone")
        )

    for hours in (-1, 0, 1):
        go(english, DUE + hours * HOUR)

    with english.db.read() as tx:
        made = {e.newsletter_id: e.state for e in editions.list_page(tx, limit=9)}
    assert made[arabic.newsletter.id] == "sending"
    assert made.get(english.newsletter.id) in {None, "draft"}


def test_one_source_of_both_fills_the_pool_of_the_one_that_is_collected(
    rooms: tuple[Newsroom, Newsroom], site: WebServer, material: Path, fetcher: Fetcher
) -> None:
    body = (material / "feed.xml").read_bytes()
    site.routes["/feed/"] = lambda _: Answer(body=body, headers={"ETag": '"7"'})
    for room in rooms:
        room.add_source(site.url("/feed/"))

    collecting.collect(
        rooms[0].db, fetcher=fetcher, actor=DESK, now=NOW, newsletter="arabic"
    )

    with rooms[0].db.read() as tx:
        pools = [
            len(articles.list_page(tx, room.newsletter.id, None, 9)) for room in rooms
        ]
        seen = {s.newsletter_id: s.etag for s in sources.list_page(tx)}
    assert pools == [1, 3]
    assert seen == {rooms[0].newsletter.id: None, rooms[1].newsletter.id: '"7"'}
