"""The feeds by the rules of their specifications: RSS 2.0 and JSON Feed 1.1."""

import json
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from babel import Locale
from starlette.testclient import TestClient

from digest.bootstrap import Service
from digest.storage import newsletters
from digest.web.app import make_app
from tests.builders import NOW, SITE
from tests.released import release_week
from tests.weeks import english_week
from tests.weeks_arabic import arabic_week

ATOM = "{http://www.w3.org/2005/Atom}link"
CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
# https://www.rssboard.org/rss-specification and its namespaced extensions.
OF_CHANNEL = {"title", "link", "description", "language", "lastBuildDate", "item", ATOM}
OF_ITEM = {"title", "link", "guid", "pubDate", "description", CREATOR, CONTENT}
# https://www.jsonfeed.org/version/1.1/
OF_FEED = {
    *("version", "title", "home_page_url", "feed_url", "description", "user_comment"),
    *("next_url", "icon", "favicon", "authors", "language", "expired", "hubs", "items"),
}
OF_FEED_ITEM = {
    *("id", "url", "external_url", "title", "content_html", "content_text", "summary"),
    *("image", "banner_image", "date_published", "date_modified", "authors", "tags"),
    *("language", "attachments"),
}
# What a feed reader takes out, or what breaks its page.
FORBIDDEN = {"script", "style", "iframe", "object", "embed", "form", "base", "meta"}


class Content(HTMLParser):
    """The addresses and the elements of an item's content."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [v or "" for name, v in attrs if name in {"href", "src"}]


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    """Two newsletters with four editions each."""
    for week in (english_week(), arabic_week()):
        release_week(service.db, week)
    with TestClient(make_app(service, answer_after=0)) as found:
        yield found


@pytest.fixture(params=["weekly", "weekly-ar"])
def slug(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def channel_of(client: TestClient, slug: str) -> ET.Element:
    answer = client.get(f"/feed.xml?newsletter={slug}")
    assert answer.headers["Content-Type"] == "application/rss+xml"
    root = ET.fromstring(answer.content)  # noqa: S314 - our own
    assert (root.tag, root.attrib) == ("rss", {"version": "2.0"})
    (channel,) = root
    assert channel.tag == "channel"
    return channel


def feed_of(client: TestClient, slug: str) -> dict[str, Any]:
    answer = client.get(f"/feed.json?newsletter={slug}")
    assert answer.headers["Content-Type"] == "application/feed+json"
    found: dict[str, Any] = json.loads(answer.content.decode("utf-8"))
    return found


def text_of(element: ET.Element, name: str) -> str:
    found = element.findtext(name)
    assert found, name
    return found


def is_absolute(address: str) -> bool:
    return address.startswith(("https://", "http://", "mailto:"))


def test_the_channel_has_what_rss_wants(client: TestClient, slug: str) -> None:
    channel = channel_of(client, slug)

    language = Locale.parse(text_of(channel, "language"), sep="-")
    newest = parsedate_to_datetime(text_of(channel, "lastBuildDate"))
    itself = channel.find(ATOM)
    assert {child.tag for child in channel} == OF_CHANNEL
    assert text_of(channel, "title")
    assert text_of(channel, "description")
    assert text_of(channel, "link").startswith(f"{SITE.base_url}/archive")
    assert language.language == ("ar" if slug == "weekly-ar" else "en")
    assert newest.tzinfo is not None
    assert itself is not None
    assert itself.attrib == {
        "rel": "self",
        "type": "application/rss+xml",
        "href": f"{SITE.base_url}/feed.xml?newsletter={slug}",
    }


def test_each_item_has_what_rss_wants(client: TestClient, slug: str) -> None:
    items = channel_of(client, slug).findall("item")

    dates = [parsedate_to_datetime(text_of(item, "pubDate")) for item in items]
    guids = [text_of(item, "guid") for item in items]
    assert len(items) == 4
    assert dates == sorted(dates, reverse=True)
    assert len(set(guids)) == len(items)
    for item in items:
        assert {child.tag for child in item} == OF_ITEM
        # Plain text: a feed reader shows it as it is.
        assert "<" not in text_of(item, "description") + text_of(item, "title")
        guid = item.find("guid")
        assert guid is not None
        assert guid.attrib == {"isPermaLink": "true"}
        assert guid.text == text_of(item, "link")
        assert client.get(text_of(item, "link")).status_code == 200


def test_the_json_feed_has_what_its_version_wants(
    client: TestClient, slug: str
) -> None:
    feed = feed_of(client, slug)

    assert set(feed) <= OF_FEED
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"]
    assert feed["feed_url"] == f"{SITE.base_url}/feed.json?newsletter={slug}"
    assert feed["home_page_url"].startswith(SITE.base_url)
    assert client.get(feed["favicon"]).status_code == 200
    assert Locale.parse(feed["language"], sep="-").language in {"en", "ar"}
    assert [set(author) for author in feed["authors"]] == [{"name"}]


def test_each_item_has_what_the_json_feed_wants(client: TestClient, slug: str) -> None:
    items = feed_of(client, slug)["items"]

    assert len({item["id"] for item in items}) == len(items) == 4
    for item in items:
        published = datetime.fromisoformat(item["date_published"])
        assert set(item) <= OF_FEED_ITEM
        assert isinstance(item["id"], str)
        assert item["content_html"]
        assert published.tzinfo is not None
        assert all(isinstance(tag, str) and tag for tag in item["tags"])
        assert client.get(item["url"]).status_code == 200
        assert client.get(item["image"]).headers["Content-Type"] == "image/jpeg"


def test_content_stands_alone_in_any_feed_reader(client: TestClient, slug: str) -> None:
    items = channel_of(client, slug).findall("item")
    contents = [text_of(item, CONTENT) for item in items]
    contents += [item["content_html"] for item in feed_of(client, slug)["items"]]

    direction = "rtl" if slug == "weekly-ar" else "ltr"
    for html in contents:
        content = Content(html)
        assert f'dir="{direction}"' in html
        assert not content.tags & FORBIDDEN
        assert content.addresses
        assert [a for a in content.addresses if not is_absolute(a)] == []


def test_a_client_that_knows_the_date_alone_is_told_that_nothing_changed(
    client: TestClient,
) -> None:
    changed = client.get("/feed.xml").headers["Last-Modified"]

    codes = {
        since: client.get("/feed.xml", headers={"If-Modified-Since": since}).status_code
        for since in (changed, "Sun, 05 May 2024 12:00:00 GMT", "yesterday", "")
    }

    assert list(codes.values()) == [304, 200, 200, 200]


@pytest.mark.parametrize(
    "since", ["Mon, 01 Jan 99999 00:00:00 GMT", "0 Jan 99999999999 0:0:0"]
)
def test_a_date_that_no_calendar_has_is_passed_over(
    client: TestClient, since: str
) -> None:
    answer = client.get("/feed.xml", headers={"If-Modified-Since": since})

    assert answer.status_code == 200


def test_the_sitemap_names_every_page_by_its_own_address(client: TestClient) -> None:
    root = ET.fromstring(client.get("/sitemap.xml").content)  # noqa: S314 - our own
    addresses = [text_of(url, f"{SITEMAP}loc") for url in root]

    assert len(addresses) == len(set(addresses)) == 2 * (5 + 1 + 4)
    for address in addresses:
        html = client.get(address).text
        assert f'<link rel="canonical" href="{address}">' in html


def test_a_feed_without_an_edition_is_a_feed(service: Service) -> None:
    newsletter = english_week()[1]
    with service.db.write() as tx:
        newsletters.add(tx, newsletter, now=NOW)
    with TestClient(make_app(service)) as client:
        channel = channel_of(client, "weekly")
        feed = feed_of(client, "weekly")

    assert channel.find("item") is None
    assert feed["items"] == []
