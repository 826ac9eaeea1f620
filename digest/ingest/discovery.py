"""Find out what an address offers: a feed, a page that names one, or WordPress."""

from html.parser import HTMLParser
from zoneinfo import ZoneInfo

from digest.domain.errors import RefusedError
from digest.domain.webaddresses import clean_url
from digest.fetch.client import Fetched, Fetcher
from digest.ingest.decoding import Kind, decode, detect
from digest.ingest.feeds import Feed
from digest.ingest.inputs import Material, read_material
from digest.ingest.wordpress import collect_posts, is_route

ACCEPT = "application/rss+xml, application/atom+xml, application/feed+json, */*;q=0.8"
_FEED_TYPES = {
    "application/rss+xml",
    "application/atom+xml",
    "application/rdf+xml",
    "application/feed+json",
}
_HEAD = 200_000


def discover(
    url: str, *, kind: Kind, fetcher: Fetcher, zone: ZoneInfo
) -> tuple[str, Kind, Feed]:
    """Look at an address that is to be a source.

    Args:
        url: A feed, a site, or a page that names its feed.
        kind: What it is said to be.
        fetcher: The guarded client.
        zone: Where dates of publication are dates.

    Returns:
        The address to collect from, its kind, and what it holds now.

    Raises:
        RefusedError: It cannot be fetched or offers no stories.
    """
    if kind is Kind.WORDPRESS or (kind is Kind.AUTO and is_route(url)):
        return url, Kind.WORDPRESS, collect_posts(fetcher, url, zone=zone)
    answer = fetcher.get(url, accept=ACCEPT)
    text = decode(answer.body, content_type=answer.content_type)
    if kind is Kind.AUTO and detect(text) is Kind.HTML:
        url = _named_feed(text, answer.url)
        answer = fetcher.get(url, accept=ACCEPT)
        text = decode(answer.body, content_type=answer.content_type)
    if kind in {Kind.TEXT, Kind.HTML} or detect(text) is not Kind.FEED:
        raise RefusedError(
            "This is no feed, so stories cannot be collected from it.",
            "Give a feed's address, or a WordPress site with --kind wordpress.",
        )
    return url, Kind.FEED, read_answer(answer, zone=zone)


def read_answer(answer: Fetched, *, zone: ZoneInfo) -> Feed:
    """Read a fetched feed.

    Raises:
        RefusedError: It is none, or is broken.
    """
    material = Material(
        body=answer.body, url=answer.url, content_type=answer.content_type
    )
    return read_material(material, kind=Kind.FEED, label=answer.url, zone=zone)


class _FeedLinks(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "link" and values.get("type", "").lower() in _FEED_TYPES:
            self.found.append(values.get("href", ""))


def _named_feed(html: str, base: str) -> str:
    links = _FeedLinks()
    links.feed(html[:_HEAD])
    for href in links.found:
        if found := clean_url(href, base=base):
            return found
    raise RefusedError(
        "The page names no feed.",
        "Give a feed's address, or a WordPress site with --kind wordpress.",
    )
