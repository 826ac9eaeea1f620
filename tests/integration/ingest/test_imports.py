"""Importing files, addresses and standard input into a pool."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from digest.domain.actor import Actor, ActorKind
from digest.domain.articles import Image, Outcome
from digest.domain.errors import NotFoundError, RefusedError, UsageError
from digest.fetch.client import Fetcher
from digest.ingest.decoding import Kind
from digest.ingest.imports import Report, add_by_hand, import_sources
from digest.storage import tables
from digest.storage.engine import Database
from tests.builders import NOW
from tests.http_server import Answer, WebServer

CLI = Actor(kind=ActorKind.CLI)
Import = Callable[..., Report]


@pytest.fixture
def run(pool: Database, fetcher: Fetcher) -> Import:
    """Import into the weekly."""

    def run_it(*inputs: str | Path, **changes: Any) -> Report:
        return import_sources(
            pool,
            newsletter="weekly",
            inputs=[str(i) for i in inputs],
            fetcher=fetcher,
            actor=CLI,
            now=NOW,
            **changes,
        )

    return run_it


def count(db: Database, table: Any) -> int:
    with db.read() as tx:
        return tx.execute(select(func.count()).select_from(table)).scalar_one()


@pytest.mark.parametrize(
    ("name", "stories"),
    [("pasted-page.txt", 1), ("page.html", 1), ("feed.xml", 2), ("posts.json", 1)],
)
def test_detects_and_imports_each_kind_of_file(
    run: Import, material: Path, name: str, stories: int
) -> None:
    report = run(material / name)

    assert len(report.imported) == stories


def test_a_broken_item_is_rejected_and_the_rest_goes_in(
    run: Import, material: Path
) -> None:
    report = run(material / "feed.xml")

    assert [a.section for a in report.imported] == ["arts", "news"]
    assert [r.source for r in report.rejected] == [
        "https://delta-observer.example/2024/05/07/empty/"
    ]
    assert "no headline" in report.rejected[0].reason


def test_the_same_story_from_feed_and_api_is_one(run: Import, material: Path) -> None:
    run(material / "feed.xml")

    report = run(material / "posts.json")

    assert (len(report.imported), len(report.updated)) == (0, 1)


def test_importing_again_changes_nothing_and_writes_no_audit(
    run: Import, pool: Database, material: Path
) -> None:
    run(material / "pasted-page.txt")
    before = count(pool, tables.audit)

    report = run(material / "pasted-page.txt")

    assert len(report.unchanged) == 1
    assert count(pool, tables.audit) == before == 1


def test_address_and_section_may_be_given(run: Import, material: Path) -> None:
    report = run(
        material / "pasted-page.txt",
        url="https://delta.example/1",
        section="features",
    )

    article = report.imported[0]
    assert (article.url, article.section) == ("https://delta.example/1", "features")


def test_the_publication_may_be_named(run: Import, material: Path) -> None:
    named = run(material / "feed.xml", source="The Delta Observer").imported

    assert {story.source for story in named} == {"The Delta Observer"}


def test_reads_addresses_and_standard_input(
    run: Import, site: WebServer, material: Path
) -> None:
    site.routes["/feed/"] = Answer(body=(material / "feed.xml").read_bytes())
    pasted = (material / "pasted-page.txt").read_bytes()

    report = run(site.url("/feed/"), "-", stdin=lambda cap: pasted[:cap])

    assert len(report.imported) == 3


def test_reads_a_posts_route_as_wordpress(
    run: Import, site: WebServer, material: Path
) -> None:
    path = "/wp-json/wp/v2/posts"
    body = (material / "posts.json").read_bytes()
    site.routes[f"{path}?_embed=1&per_page=50"] = Answer(body=body)

    report = run(site.url(path))

    assert len(report.imported) == 1


def test_one_bad_input_stops_no_other(
    run: Import, material: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.bin"
    bad.write_bytes(b"\0" * 100)

    report = run(bad, material / "pasted-page.txt", tmp_path / "missing")

    assert len(report.imported) == 1
    assert [r.source for r in report.rejected] == [str(bad), str(tmp_path / "missing")]


def test_refuses_a_huge_file_without_reading_it(run: Import, tmp_path: Path) -> None:
    huge = tmp_path / "huge.html"
    with huge.open("wb") as file:
        file.truncate(60_000_000_000)

    report = run(huge)

    assert "larger than 10 MB" in report.rejected[0].reason


@pytest.mark.parametrize(
    ("octets", "kind", "reason"),
    [
        (b"", Kind.AUTO, "empty"),
        (b" \n ", Kind.AUTO, "empty"),
        (b"x" * 10_000_001, Kind.TEXT, "larger than 10 MB"),
        (b"hello", Kind.FEED, "not XML"),
        (b"hello", Kind.WORDPRESS, "JSON"),
        (b"<p>x</p>", Kind.HTML, "No story"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><rss>&b;</rss>", Kind.AUTO, "entities"),
    ],
)
def test_bad_input_is_rejected_with_a_reason_and_nothing_is_stored(
    run: Import, pool: Database, octets: bytes, kind: Kind, reason: str
) -> None:
    report = run("-", stdin=lambda cap: octets[:cap], kind=kind)

    assert reason in report.rejected[0].reason
    assert count(pool, tables.articles) == 0


@pytest.mark.parametrize("name", ["http://[::1/", "https://[/"])
def test_a_damaged_address_is_rejected(run: Import, name: str) -> None:
    assert "not an address that can be fetched" in run(name).rejected[0].reason


@pytest.mark.parametrize("name", [".", "a\0b"])
def test_a_name_that_is_no_file_is_rejected(run: Import, name: str) -> None:
    assert "cannot be read" in run(name).rejected[0].reason


def test_an_address_that_is_none_is_rejected(run: Import, material: Path) -> None:
    report = run(material / "pasted-page.txt", url="javascript:alert(1)")

    assert "not a web address" in report.rejected[0].reason


def test_one_address_belongs_to_one_input(run: Import) -> None:
    with pytest.raises(UsageError, match="one story"):
        run("a", "b", url="https://delta.example/1")


def test_an_unknown_section_stops_before_anything_is_read(run: Import) -> None:
    with pytest.raises(NotFoundError, match="no section 'sport'"):
        run("missing", section="sport")


def add(pool: Database, **changes: Any) -> Any:
    values: dict[str, Any] = {
        "title": "By Hand",
        "url": "https://delta.example/9",
        "standfirst": "One sentence.",
    }
    return add_by_hand(
        pool, newsletter="weekly", actor=CLI, now=NOW, **(values | changes)
    )


def test_a_story_typed_by_hand_is_dated_today_in_the_newsletters_zone(
    pool: Database,
) -> None:
    stored = add(pool, section="arts", image=Image(credit="Me", alt="It"))

    article = stored.article
    assert stored.outcome is Outcome.IMPORTED
    assert article.published_on == date(2024, 5, 12)
    assert (article.section, article.image.credit) == ("arts", "Me")


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "javascript:alert(1)"},
        {"image": Image(url="data:x")},
        {"title": " "},
    ],
)
def test_refuses_a_story_typed_wrongly(pool: Database, wrong: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        add(pool, **wrong)


def test_refuses_an_unknown_section_by_hand(pool: Database) -> None:
    with pytest.raises(NotFoundError, match="Known: news"):
        add(pool, section="sport")
