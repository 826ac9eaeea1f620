"""A WordPress site's REST answers, from a real server on loopback."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from digest.domain.articles import EXCERPT
from digest.domain.errors import RefusedError
from digest.fetch.client import Fetcher
from digest.fetch.transport import FetchError
from digest.ingest.wordpress import collect_posts, read_posts
from tests.http_server import Answer, Asked, WebServer, running

CAIRO = ZoneInfo("Africa/Cairo")
ROUTE = "/wp-json/wp/v2/posts"


class WordPress(WebServer):
    """Answers any query of its posts route with as many pages as it is told."""

    def __init__(self, posts: str) -> None:
        super().__init__()
        self.posts = posts
        self.pages = 1
        self.routes = _Routes(self)


class _Routes(dict[str, Any]):
    def __init__(self, site: WordPress) -> None:
        super().__init__()
        self.site = site

    def get(self, path: str, default: Any = None) -> Any:
        is_query = parse_qs(urlsplit(path).query).get("rest_route") == ["/wp/v2/posts"]
        if urlsplit(path).path == ROUTE or is_query:
            pages = str(self.site.pages)
            return Answer(body=self.site.posts, headers={"X-WP-TotalPages": pages})
        return super().get(path, default)


@pytest.fixture
def posts(material: Path) -> str:
    return (material / "posts.json").read_text(encoding="utf-8")


@pytest.fixture
def site(posts: str) -> Iterator[WordPress]:
    with running(WordPress(posts)) as server:
        assert isinstance(server, WordPress)
        yield server


def test_reads_a_post_with_what_is_embedded(posts: str) -> None:
    draft = read_posts(posts, zone=CAIRO).items[0].draft

    assert draft is not None
    assert draft.title == "Harbour Lights “Back On” After Repairs & Tests"
    assert draft.published_on == date(2024, 5, 12)
    assert draft.author == "Omar Sabry"
    assert draft.categories == ("Politics", "harbours & ports")
    assert draft.image.url == "https://delta-observer.example/uploads/harbour.jpg"
    assert draft.image.alt == "The mole at night"
    assert len(draft.paragraphs) == 2
    assert draft.featured


def make_post(**changes: Any) -> str:
    post = {"title": {"rendered": "A"}, "content": {"rendered": "<p>B</p>"}}
    return json.dumps(post | changes)


def test_takes_the_sites_local_date_where_there_is_no_other() -> None:
    draft = read_posts(make_post(date="2024-05-12T23:30:00"), zone=CAIRO).items[0].draft

    assert draft is not None
    assert draft.published_on == date(2024, 5, 12)


def test_a_locked_post_is_an_excerpt() -> None:
    locked = {"rendered": "", "protected": True}
    body = make_post(content=locked, excerpt={"rendered": "<p>Sum</p>"})

    draft = read_posts(body, zone=CAIRO).items[0].draft

    assert draft is not None
    assert (draft.paragraphs, draft.flags) == (("Sum",), (EXCERPT,))


def test_takes_the_first_picture_of_the_text_where_none_is_featured() -> None:
    html = (
        "<figure><img src='https://a.example/i.jpg'><figcaption>C</figcaption></figure>"
    )

    draft = read_posts(make_post(content={"rendered": html}), zone=CAIRO).items[0].draft

    assert draft is not None
    assert (draft.image.url, draft.image.credit) == ("https://a.example/i.jpg", "C")


def test_names_a_post_that_is_too_large() -> None:
    huge = make_post(content={"rendered": "x" * 2_000_001})

    item = read_posts(huge, zone=CAIRO).items[0]

    assert item.draft is None
    assert "2 MB" in item.reason


@pytest.mark.parametrize(
    "body", ["{", "[" * 99_999, "{}", "[1]", '{"code": "rest_no"}']
)
def test_refuses_json_that_holds_no_posts(body: str) -> None:
    with pytest.raises(RefusedError, match="JSON"):
        read_posts(body, zone=CAIRO)


def test_finds_the_route_of_a_site_by_its_link_header(
    site: WordPress, fetcher: Fetcher
) -> None:
    link = '<{}>; rel="https://api.w.org/"'.format("/wp-json/")
    site.routes["/news"] = Answer(headers={"Link": link})

    feed = collect_posts(fetcher, site.url("/news"), zone=CAIRO)

    assert len(feed.items) == 1
    assert site.asked[1].path.startswith(f"{ROUTE}?_embed=1&per_page=")


def test_finds_the_route_of_a_site_that_says_nothing(
    site: WordPress, fetcher: Fetcher
) -> None:
    site.routes["/"] = Answer()
    site.routes["/wp-json/"] = Answer(body='{"name": "The Delta &amp; Co"}')

    feed = collect_posts(fetcher, site.url("/"), zone=CAIRO)

    assert feed.title == "The Delta & Co"


def test_falls_back_to_the_query_spelling(site: WordPress, fetcher: Fetcher) -> None:
    site.routes["/"] = Answer()

    collect_posts(fetcher, site.url("/"), zone=CAIRO)

    assert site.asked[2].path.startswith(
        "/?_embed=1&per_page=50&rest_route=/wp/v2/posts"
    )


@pytest.mark.parametrize("route", [ROUTE, "/?rest_route=/wp/v2/posts&per_page=5"])
def test_takes_a_route_in_either_spelling(
    site: WordPress, fetcher: Fetcher, route: str
) -> None:
    feed = collect_posts(fetcher, site.url(route), zone=CAIRO)

    assert len(feed.items) == 1


def test_reads_further_pages_within_a_cap(site: WordPress, fetcher: Fetcher) -> None:
    site.pages = 99

    feed = collect_posts(fetcher, site.url(ROUTE), zone=CAIRO)

    pages = [parse_qs(urlsplit(a.path).query).get("page") for a in site.asked[:4]]
    assert pages == [None, ["2"], ["3"], ["4"]]
    assert len(feed.items) == 4


def test_asks_only_for_what_is_new(site: WordPress, fetcher: Fetcher) -> None:
    then = datetime(2024, 5, 10, 9, tzinfo=UTC)

    collect_posts(fetcher, site.url(ROUTE), zone=CAIRO, after=then, modified_after=then)

    query = parse_qs(urlsplit(site.asked[0].path).query)
    assert query["after"] == query["modified_after"] == ["2024-05-10T09:00:00+00:00"]


def test_says_that_a_site_is_closed(site: WordPress, fetcher: Fetcher) -> None:
    site.posts = "<html>blocked</html>"

    with pytest.raises(RefusedError, match="JSON is damaged"):
        collect_posts(fetcher, site.url(ROUTE), zone=CAIRO)


def test_says_that_a_site_is_not_there(fetcher: Fetcher) -> None:
    with running(WebServer()) as gone:
        gone.routes["/"] = lambda asked: _vanish(asked, gone)
        url = gone.url("/")

        with pytest.raises(FetchError):
            collect_posts(fetcher, url, zone=CAIRO)


def _vanish(_: Asked, site: WebServer) -> Answer:
    site.stall.add("/wp-json/")
    site.over.set()
    return Answer()
