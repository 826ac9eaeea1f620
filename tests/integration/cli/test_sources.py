"""`sources …` against a server on loopback."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ran
from tests.http_server import Answer, WebServer

Cli = Callable[..., Ran]


@pytest.fixture
def url(
    site: WebServer, material: Path, installed: Cli, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A feed whose second story has an unknown category, and who may reach it."""
    text = (material / "feed.xml").read_text(encoding="utf-8")
    body = text.replace("Arts & Culture", "Nets")
    site.routes["/feed/"] = Answer(body=body, headers={"ETag": '"1"'})
    monkeypatch.setenv("DIGEST_FETCH__ALLOW_PRIVATE", "true")
    return site.url("/feed/")


def test_add_shows_the_latest_stories_and_what_is_unmapped(cli: Cli, url: str) -> None:
    shown = cli("sources", "add", url)
    listed = cli("sources", "list", "--json").document

    assert "2024-05-12  news" in shown.out
    assert "2024-05-08  -           A Museum for Nets" in shown.out
    assert "Categories without a section: Nets" in shown.out
    assert [s["url"] for s in listed["items"]] == [url]


def test_add_answers_a_script(cli: Cli, url: str) -> None:
    document = cli("sources", "add", url, "--every", "2h", "--json").document

    assert document["source"]["every_seconds"] == 7200
    assert [s["section"] for s in document["latest"]] == ["news", None]
    assert document["unmapped"] == ["Nets"]


@pytest.mark.parametrize("span", ["soon", "1w", "", "1m", "367d"])
def test_add_refuses_a_span_it_cannot_keep(cli: Cli, url: str, span: str) -> None:
    ran = cli("sources", "add", url, "--every", span)

    assert ran.status == 2
    assert "Example" in ran.err


def test_map_then_collect_puts_stories_into_their_sections(cli: Cli, url: str) -> None:
    cli("sources", "add", url)

    mapped = cli("sources", "map", "1", "Nets=arts")
    collected = cli("sources", "collect", "--json").document["items"][0]

    assert mapped.out == "Nets → arts\n"
    assert [a["section"] for a in collected["imported"]] == ["arts", "news"]
    assert collected["error"] is None


@pytest.mark.parametrize("pair", ["Nets", "=arts", "Nets="])
def test_map_refuses_what_is_no_pair(cli: Cli, url: str, pair: str) -> None:
    ran = cli("sources", "map", "1", pair)

    assert ran.status == 2
    assert "Politics=news" in ran.err


def test_collect_tells_a_person(cli: Cli, site: WebServer, url: str) -> None:
    cli("sources", "add", url)

    first = cli("sources", "collect", "--due")
    site.routes["/feed/"] = Answer(status=304)
    second = cli("sources", "collect")

    assert "2 imported, 0 updated, 0 unchanged, 1 rejected." in first.out
    assert "Map them: digest sources map 1 CATEGORY=SECTION" in first.out
    assert second.out == "The Delta Observer: nothing new.\n"


def test_collect_fails_where_every_source_does(
    cli: Cli, site: WebServer, url: str
) -> None:
    cli("sources", "add", url)
    site.routes["/feed/"] = Answer(status=410)

    ran = cli("sources", "collect")
    listed = cli("sources", "list", "--newsletter", "weekly")

    assert ran.status == 1
    assert "410" in ran.err
    assert "error: " in listed.out


def test_list_of_nothing_says_so(cli: Cli, url: str) -> None:
    assert cli("sources", "list").out == "No sources yet.\n"
    assert cli("sources", "collect").status == 0
