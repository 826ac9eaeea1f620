"""Collecting from sources over real connections."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from digest.domain.actor import Actor, ActorKind
from digest.domain.errors import NotFoundError, RefusedError, StateError, UsageError
from digest.fetch.client import Fetcher
from digest.ingest import collecting
from digest.ingest.collecting import Added, Collected
from digest.ingest.decoding import Kind
from digest.storage import sources
from digest.storage.engine import Database
from tests.builders import NOW
from tests.http_server import Answer, Asked, WebServer

CLI = Actor(kind=ActorKind.CLI)


@pytest.fixture
def feed(site: WebServer, material: Path) -> str:
    """A feed that knows conditional requests."""
    body = (material / "feed.xml").read_bytes()

    def route(asked: Asked) -> Answer:
        if asked.headers.get("If-None-Match") == '"7"':
            return Answer(status=304)
        return Answer(body=body, headers={"ETag": '"7"', "Last-Modified": "then"})

    site.routes["/feed/"] = route
    return site.url("/feed/")


def add(pool: Database, url: str, fetcher: Fetcher, **changes: Any) -> Added:
    return collecting.add_source(
        pool,
        newsletter="weekly",
        url=url,
        fetcher=fetcher,
        actor=CLI,
        now=NOW,
        **changes,
    )


def collect(pool: Database, fetcher: Fetcher, **changes: Any) -> list[Collected]:
    values = {"now": NOW} | changes
    return collecting.collect(pool, fetcher=fetcher, actor=CLI, **values)


def test_shows_what_a_new_source_holds(
    pool: Database, fetcher: Fetcher, feed: str
) -> None:
    added = add(pool, feed, fetcher)

    assert (added.source.kind, added.source.title) == ("feed", "The Delta Observer")
    assert [d.section for d in added.latest] == ["news", "arts"]
    assert added.unmapped == ()


def test_adding_imports_nothing_yet(
    pool: Database, fetcher: Fetcher, feed: str
) -> None:
    add(pool, feed, fetcher)

    assert len(collect(pool, fetcher)[0].report.imported) == 2


def test_follows_a_page_to_the_feed_it_names(
    pool: Database, fetcher: Fetcher, site: WebServer, feed: str
) -> None:
    site.routes["/"] = Answer(
        body="<!doctype html><link rel=alternate type=text/css href=/x>"
        "<link rel=alternate type=application/rss+xml href=javascript:x>"
        "<link rel=alternate type=application/rss+xml href=/feed/>"
    )

    added = add(pool, site.url("/"), fetcher)

    assert added.source.url == feed


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<!doctype html><p>No feed</p>", Kind.AUTO),
        ("Just text", Kind.AUTO),
        ("<!doctype html><p>Page</p>", Kind.HTML),
        ("Just text", Kind.FEED),
    ],
)
def test_refuses_what_is_no_source(
    pool: Database, fetcher: Fetcher, site: WebServer, body: str, kind: Kind
) -> None:
    site.routes["/"] = Answer(body=body)

    with pytest.raises(RefusedError, match="feed"):
        add(pool, site.url("/"), fetcher, kind=kind)


def test_refuses_a_source_twice_and_too_often(
    pool: Database, fetcher: Fetcher, feed: str
) -> None:
    add(pool, feed, fetcher)

    with pytest.raises(StateError):
        add(pool, feed, fetcher)
    with pytest.raises(UsageError, match="five minutes"):
        add(pool, feed, fetcher, every=timedelta(minutes=1))


def test_a_second_time_it_asks_only_for_changes(
    pool: Database, fetcher: Fetcher, site: WebServer, feed: str
) -> None:
    add(pool, feed, fetcher)
    collect(pool, fetcher)

    second, third = collect(pool, fetcher)[0], collect(pool, fetcher)[0]

    assert second.not_modified
    assert third.not_modified
    assert site.asked[-1].headers["If-Modified-Since"] == "then"


def test_the_failure_of_one_is_kept_and_stops_no_other(
    pool: Database, fetcher: Fetcher, site: WebServer, feed: str, material: Path
) -> None:
    site.routes["/other/"] = Answer(body=(material / "feed.xml").read_bytes())
    add(pool, site.url("/other/"), fetcher)
    add(pool, feed, fetcher)
    site.routes["/other/"] = Answer(status=500)

    broken, good = collect(pool, fetcher)

    with pool.read() as tx:
        kept = sources.find(tx, site.url("/other/"))
    assert "500" in broken.error
    assert kept.last_error == broken.error
    assert len(good.report.imported) == 2


def test_the_table_of_a_source_sends_its_stories_to_sections(
    pool: Database, fetcher: Fetcher, feed: str
) -> None:
    added = add(pool, feed, fetcher)
    collecting.map_categories(
        pool,
        source=str(added.source.id),
        categories={"harbour office": "features"},
        actor=CLI,
        now=NOW,
    )

    report = collect(pool, fetcher)[0].report

    assert [a.section for a in report.imported] == ["arts", "features"]


def test_a_table_written_later_sends_stories_of_an_unchanged_feed_to_sections(
    pool: Database, fetcher: Fetcher, feed: str
) -> None:
    add(pool, feed, fetcher)
    collect(pool, fetcher)
    collecting.map_categories(
        pool, source=feed, categories={"harbour office": "features"}, actor=CLI, now=NOW
    )

    report = collect(pool, fetcher)[0].report

    assert [a.section for a in report.updated] == ["features"]


def test_mapping_keeps_the_rows_it_does_not_name(
    pool: Database, fetcher: Fetcher, feed: str
) -> None:
    add(pool, feed, fetcher)
    collecting.map_categories(
        pool, source=feed, categories={"A": "news"}, actor=CLI, now=NOW
    )

    mapped = collecting.map_categories(
        pool, source=feed, categories={"B": "arts"}, actor=CLI, now=NOW
    )

    assert mapped.category_map == {"A": "news", "B": "arts"}


def test_refuses_to_map_to_a_section_that_is_not_there(
    pool: Database, fetcher: Fetcher, feed: str
) -> None:
    add(pool, feed, fetcher)

    with pytest.raises(NotFoundError, match="sport"):
        collecting.map_categories(
            pool, source=feed, categories={"A": "sport"}, actor=CLI, now=NOW
        )


def test_names_the_categories_without_a_section(
    pool: Database, fetcher: Fetcher, site: WebServer, material: Path
) -> None:
    text = (material / "feed.xml").read_text(encoding="utf-8")
    site.routes["/feed/"] = Answer(body=text.replace("Arts & Culture", "Nets"))
    add(pool, site.url("/feed/"), fetcher)

    collected = collect(pool, fetcher, newsletter="weekly")[0]

    assert collected.unmapped == ("Nets",)


def test_collects_only_what_is_due(pool: Database, fetcher: Fetcher, feed: str) -> None:
    add(pool, feed, fetcher, every=timedelta(hours=1))
    collect(pool, fetcher)

    soon = collect(pool, fetcher, now=NOW + timedelta(minutes=30), due_only=True)
    later = collect(pool, fetcher, now=NOW + timedelta(hours=1), due_only=True)

    assert (len(soon), len(later)) == (0, 1)


def test_collects_a_wordpress_site_and_then_only_its_edits(
    pool: Database, fetcher: Fetcher, site: WebServer, material: Path
) -> None:
    path = "/wp-json/wp/v2/posts"
    query = f"{path}?_embed=1&per_page=50"
    body = (material / "posts.json").read_bytes()
    site.routes[query] = Answer(body=body)
    since = f"{query}&modified_after=2024-05-11T12:00:00%2B00:00"
    site.routes[since] = Answer(body="[]")
    site.routes["/wp-json/"] = Answer(body='{"name": "Delta"}')
    added = add(pool, site.url(path), fetcher)

    first, second = collect(pool, fetcher)[0], collect(pool, fetcher)[0]

    assert (added.source.kind, added.source.title) == ("wordpress", "Delta")
    assert len(first.report.imported) == 1
    assert (second.error, second.report.accepted) == ("", 0)


def test_a_story_keeps_the_name_of_its_site_though_the_site_forgets_it(
    pool: Database, fetcher: Fetcher, site: WebServer, material: Path
) -> None:
    path = "/wp-json/wp/v2/posts"
    query = f"{path}?_embed=1&per_page=50"
    body = (material / "posts.json").read_bytes()
    site.routes[query] = Answer(body=body)
    site.routes["/wp-json/"] = Answer(body='{"name": "Delta"}')
    add(pool, site.url(path), fetcher)
    site.routes["/wp-json/"] = Answer(body="{}")

    (collected,) = collect(pool, fetcher)

    assert [story.source for story in collected.report.imported] == ["Delta"]
