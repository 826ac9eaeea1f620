"""The reader of a WordPress site's REST answers: `/wp-json/wp/v2/posts?_embed`."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from digest.domain.articles import EXCERPT, Draft, Image
from digest.domain.errors import RefusedError
from digest.domain.webaddresses import clean_url
from digest.fetch.client import Fetched, Fetcher
from digest.fetch.transport import FetchError
from digest.ingest.feeds import Feed, Item
from digest.ingest.found import date_of, instant_of, list_of, object_of, text_of
from digest.ingest.markup import Plain, to_line, to_plain

_ROUTE = "wp/v2/posts"
_PER_PAGE = 50
_MOST_PAGES = 4
_API_LINK = re.compile(r"<([^>]{1,500})>\s*;[^,]{0,200}rel=\"https://api\.w\.org/\"")
_MEND = "Check that the site is WordPress and its REST API is open."


def read_posts(body: str, *, zone: ZoneInfo, url: str | None = None) -> Feed:
    """Read one answer of the posts route.

    Args:
        body: A JSON array of posts, or one post.
        zone: Where dates of publication are dates.
        url: Where it came from.

    Raises:
        RefusedError: It is not such an answer.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError("The JSON is damaged.", _MEND) from None
    posts = found if isinstance(found, list) else [found]
    if not all(isinstance(p, dict) and _is_post(p) for p in posts):
        raise RefusedError("This JSON holds no WordPress posts.", _MEND)
    return Feed(title="", items=tuple(_read_post(p, zone, url) for p in posts))


def collect_posts(
    fetcher: Fetcher,
    url: str,
    *,
    zone: ZoneInfo,
    after: datetime | None = None,
    modified_after: datetime | None = None,
) -> Feed:
    """Fetch the latest posts of a site, page by page, four pages of fifty at most.

    Args:
        fetcher: The guarded client.
        url: The site, its posts route in either spelling, or any page of it.
        zone: Where dates of publication are dates.
        after: Only posts published after it.
        modified_after: Only posts edited after it.

    Raises:
        RefusedError: The site offers no such route, or answers something else.
    """
    route = _find_route(fetcher, url)
    since = {"after": after, "modified_after": modified_after}
    query = {name: at.isoformat() for name, at in since.items() if at}
    items: list[Item] = []
    pages = 1
    page = 1
    while page <= min(pages, _MOST_PAGES):
        asked = query | {"page": str(page)} if page > 1 else query
        answer = fetcher.get(_with(route, asked), accept="application/json")
        items += read_posts(answer.body.decode("utf-8", "replace"), zone=zone).items
        pages = _count_pages(answer)
        page += 1
    return Feed(title=_site_name(fetcher, route), items=tuple(items))


def _find_route(fetcher: Fetcher, url: str) -> str:
    """Return the posts route of a site (WordPress REST handbook, "Discovery")."""
    if is_route(url):
        return url
    for header in _links(fetcher.get(url)):
        return _join(header)
    parts = urlsplit(url)
    candidate = urlunsplit((parts.scheme, parts.netloc, "/wp-json/", "", ""))
    try:
        fetcher.get(candidate, accept="application/json")
    except FetchError as error:
        if error.status is None:
            raise
        return (
            urlunsplit((parts.scheme, parts.netloc, "/", "rest_route=/", ""))[:-1]
            + f"/{_ROUTE}"
        )
    return _join(candidate)


def is_route(url: str) -> bool:
    """Whether an address is a site's posts route, in either spelling."""
    try:
        parts = urlsplit(url)
    except ValueError:  # no address at all: whoever fetches it says so
        return False
    asked = dict(parse_qsl(parts.query)).get("rest_route", "")
    return f"/{_ROUTE}" in parts.path or f"/{_ROUTE}" in asked


def _links(answer: Fetched) -> Iterator[str]:
    for link in _API_LINK.findall(answer.headers.get("link", "")):
        if found := clean_url(link, base=answer.url):
            yield found


def _join(root: str) -> str:
    """Return the posts route under an API root, be it `/?rest_route=/`."""
    return root.rstrip("/") + f"/{_ROUTE}"


def _with(route: str, values: Mapping[str, str]) -> str:
    parts = urlsplit(route)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    query = {"_embed": "1", "per_page": str(_PER_PAGE)} | query | dict(values)
    return urlunsplit(parts._replace(query=urlencode(query, safe="/:")))


def _count_pages(answer: Fetched) -> int:
    found = answer.headers.get("x-wp-totalpages", "1")
    return int(found) if found.isascii() and found.isdecimal() else 1


def _site_name(fetcher: Fetcher, route: str) -> str:
    parts = urlsplit(route)
    is_query = "rest_route" in parts.query
    root = parts._replace(
        path=parts.path if is_query else parts.path.partition(_ROUTE)[0],
        query="rest_route=/" if is_query else "",
    )
    try:
        found = json.loads(fetcher.get(urlunsplit(root)).body)
    except (FetchError, ValueError, RecursionError):
        return ""
    return to_line(text_of(object_of(found).get("name")))


def _is_post(post: Mapping[str, Any]) -> bool:
    return isinstance(post.get("title"), dict) and "content" in post


def _read_post(post: Mapping[str, Any], zone: ZoneInfo, base: str | None) -> Item:
    url = clean_url(text_of(post.get("link")), base=base)
    label = url or "a post without address"
    try:
        return Item(label=label, draft=_to_draft(post, zone, url))
    except RefusedError as error:
        return Item(label=label, reason=str(error))


def _to_draft(post: Mapping[str, Any], zone: ZoneInfo, url: str | None) -> Draft:
    content = to_plain(_rendered(post, "content"), base=url)
    excerpt = to_line(_rendered(post, "excerpt"))
    is_locked = bool(object_of(post.get("content")).get("protected"))
    embedded = object_of(post.get("_embedded"))
    return Draft(
        title=to_line(_rendered(post, "title")),
        url=url,
        published_on=_published_on(post, zone),
        embargo_until=instant_of(text_of(post.get("date_gmt")) + "+00:00"),
        author=to_line(_names(embedded.get("author"))),
        standfirst=excerpt,
        image=_image(embedded, content, url),
        paragraphs=content.paragraphs or ((excerpt,) if excerpt else ()),
        categories=tuple(_terms(embedded)),
        featured=bool(post.get("sticky")),
        flags=(EXCERPT,) if is_locked or not content.paragraphs else (),
    )


def _rendered(post: Mapping[str, Any], name: str) -> str:
    return text_of(object_of(post.get(name)).get("rendered"))


def _published_on(post: Mapping[str, Any], zone: ZoneInfo) -> date | None:
    # `date_gmt` has no offset in the answer; `date` is the site's local time.
    for name, suffix in (("date_gmt", "+00:00"), ("date", "")):
        if found := date_of(text_of(post.get(name)) + suffix, zone):
            return found
    return None


def _image(embedded: Mapping[str, Any], content: Plain, base: str | None) -> Image:
    media = _first(embedded.get("wp:featuredmedia"))
    credit = to_line(_rendered(media, "caption"))
    if url := clean_url(text_of(media.get("source_url")), base=base):
        return Image(
            url=url, credit=credit, alt=to_line(text_of(media.get("alt_text")))
        )
    picture = content.picture
    caption = (content.captions or ("",))[0]
    if picture is None:
        return Image()
    return Image(url=picture.url, alt=picture.alt, credit=caption)


def _terms(embedded: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of categories and tags, in the order of the taxonomies."""
    for group in list_of(embedded.get("wp:term")):
        for term in list_of(group):
            yield to_line(text_of(object_of(term).get("name")))


def _names(people: Any) -> str:
    return ", ".join(
        n for p in list_of(people) if (n := text_of(object_of(p).get("name")))
    )


def _first(values: Any) -> Mapping[str, Any]:
    return object_of(values[0]) if isinstance(values, Sequence) and values else {}
