"""The reader of RSS, Atom, RDF and JSON feeds."""

import calendar
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from digest.domain.articles import EXCERPT, Draft, Image
from digest.domain.errors import RefusedError
from digest.domain.plaintext import clean_line
from digest.domain.standfirsts import strip_feed_tail, was_cut
from digest.domain.webaddresses import clean_url
from digest.ingest.decoding import decode_xml
from digest.ingest.extraction import MOST_ITEMS
from digest.ingest.found import date_of, instant_of, list_of, text_of
from digest.ingest.markup import Plain, to_line, to_plain
from digest.ingest.parser_process import Job, run_apart

_LONGEST_TITLE = 5_000
_MEND = "Check that the address is that of an RSS, Atom or JSON feed."
_PICTURE = re.compile(r"image/(?:jpeg|jpg|png|gif|webp|avif)", re.IGNORECASE)
_PICTURE_NAME = re.compile(r"\.(?:jpe?g|png|gif|webp)(?:\?|$)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One entry of a feed, read or not.

    Attributes:
        label: Its address or title, to name it by.
        draft: What it says, not yet normalised; None where it was refused.
        reason: Why it was refused; empty otherwise.
    """

    label: str
    draft: Draft | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Feed:
    """A feed and its entries, newest as the source orders them.

    Attributes:
        title: The publication's name; may be empty.
        items: At most 500.
    """

    title: str
    items: tuple[Item, ...]


def read_feed(body: bytes, *, zone: ZoneInfo, url: str | None = None) -> Feed:
    """Read an RSS 0.9x/1.0/2.0 or Atom feed in a process of its own.

    Args:
        body: The document. One with a document type or entity declarations is
            refused unparsed: entities can name files and grow without bound.
        zone: Where dates of publication are dates.
        url: Where it came from, for relative addresses.

    Raises:
        RefusedError: It is not such a feed, or is damaged beyond reading.
    """
    text = decode_xml(body)
    found = run_apart(Job.FEED, text.encode("utf-8", errors="replace"), url)
    if found is None:
        raise RefusedError(
            "The feed could not be read within its limits of time and memory.", _MEND
        )
    return interpret(found, zone=zone, url=url)


def interpret(
    parsed: Mapping[str, Any], *, zone: ZoneInfo, url: str | None = None
) -> Feed:
    """Make drafts of what the parser found in a feed.

    Args:
        parsed: As `extraction.parse_feed` returns it.
        zone: Where dates of publication are dates.
        url: Where the feed came from.

    Raises:
        RefusedError: It is no feed, or is damaged beyond reading.
    """
    feed, entries = parsed["feed"], parsed["entries"]
    if not parsed["version"] or not (entries or feed):
        raise RefusedError("This XML is not a feed.", _MEND)
    if parsed["damaged"] and not entries:
        raise RefusedError("The feed is damaged: no story in it can be read.", _MEND)
    about = _About(
        title=to_line(text_of(feed.get("title"))[:_LONGEST_TITLE]),
        base=clean_url(text_of(feed.get("link")), base=url) or url,
        language=text_of(feed.get("language")),
        zone=zone,
    )
    return Feed(title=about.title, items=tuple(_read_entry(e, about) for e in entries))


def read_json_feed(body: str, *, zone: ZoneInfo, url: str | None = None) -> Feed:
    """Read a JSON Feed, version 1 or 1.1 (jsonfeed.org).

    Raises:
        RefusedError: It is not one.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError("The JSON is damaged.", _MEND) from None
    is_feed = isinstance(found, dict) and "jsonfeed.org" in str(found.get("version"))
    if not is_feed or not isinstance(found.get("items"), list):
        raise RefusedError("This JSON is not a feed.", _MEND)
    about = _About(
        title=to_line(text_of(found.get("title"))),
        base=clean_url(text_of(found.get("home_page_url")), base=url) or url,
        language=text_of(found.get("language")),
        zone=zone,
    )
    items = [i for i in found["items"] if isinstance(i, dict)][:MOST_ITEMS]
    return Feed(title=about.title, items=tuple(_json_item(i, about) for i in items))


@dataclass(frozen=True, kw_only=True)
class _About:
    """What every entry of a feed shares."""

    title: str
    base: str | None
    language: str
    zone: ZoneInfo


def _read_entry(entry: Any, about: _About) -> Item:
    url = clean_url(text_of(entry.get("link")) or _guid(entry), base=about.base)
    title = to_line(text_of(entry.get("title"))[:_LONGEST_TITLE])
    label = url or title or "an entry without title"
    try:
        return Item(label=label, draft=_to_draft(entry, about, url, title))
    except RefusedError as error:
        return Item(label=label, reason=str(error))
    except Exception as error:  # noqa: BLE001 - one broken item must not lose the rest
        return Item(label=label, reason=f"It cannot be read ({type(error).__name__}).")


def _to_draft(entry: Any, about: _About, url: str | None, title: str) -> Draft:
    description = to_plain(text_of(entry.get("summary")), base=url or about.base)
    contents = [text_of(part.get("value")) for part in entry.get("content", [])]
    whole = max(
        (to_plain(c, base=url or about.base) for c in contents if c),
        key=lambda plain: sum(map(len, plain.paragraphs)),
        default=description,
    )
    summary = " ".join(description.paragraphs)
    first = whole.paragraphs[:1]
    published = _published_at(entry, about.zone)
    return Draft(
        title=title or strip_feed_tail(summary)[:80],
        url=url,
        published_on=published.date() if published else None,
        embargo_until=published and published.astimezone(UTC),
        author=to_line(text_of(entry.get("author"))),
        standfirst=summary if whole.paragraphs != description.paragraphs else "",
        image=_picture(entry, whole, description, about.base),
        paragraphs=whole.paragraphs,
        # An aggregated feed names where each of its stories came from.
        source=to_line(text_of(entry.get("source", {}).get("title"))) or about.title,
        language=text_of(entry.get("language")) or about.language,
        categories=tuple(
            to_line(text_of(tag.get("label") or tag.get("term")))
            for tag in entry.get("tags", [])
        ),
        flags=(EXCERPT,) if not contents or (first and was_cut(first[-1])) else (),
    )


def _guid(entry: Any) -> str:
    found = text_of(entry.get("id"))
    return found if found.startswith(("http://", "https://")) else ""


def _published_at(entry: Any, zone: ZoneInfo) -> datetime | None:
    # Parsed times are UTC; `updated` is the only one Atom requires (RFC 4287 §4.2.15).
    for name in ("published_parsed", "updated_parsed", "created_parsed"):
        parsed = entry.get(name)
        if parsed:
            try:
                at = datetime.fromtimestamp(calendar.timegm(parsed), tz=UTC)
                return at.astimezone(zone)
            except (ValueError, OverflowError, OSError):
                continue
    return None


def _picture(entry: Any, whole: Plain, description: Plain, base: str | None) -> Image:
    credit = text_of((entry.get("media_credit") or [{}])[0].get("content"))
    caption = (whole.captions or description.captions or ("",))[0]
    for url in _offered(entry):
        if found := clean_url(url, base=base):
            return Image(url=found, credit=to_line(credit) or caption)
    picture = whole.picture or description.picture
    if picture is None:
        return Image(credit=to_line(credit))
    return Image(url=picture.url, credit=to_line(credit) or caption, alt=picture.alt)


def _offered(entry: Any) -> Iterator[str]:
    """Yield picture addresses: media:content, enclosure, media:thumbnail."""
    for part in [*entry.get("media_content", []), *_enclosures(entry)]:
        address = text_of(part.get("url") or part.get("href"))
        kind = text_of(part.get("type"))
        is_picture = text_of(part.get("medium")) == "image" or _PICTURE.match(kind)
        if is_picture or (not kind and _PICTURE_NAME.search(address)):
            yield address
    for part in entry.get("media_thumbnail", []):
        yield text_of(part.get("url"))


def _enclosures(entry: Any) -> list[Any]:
    links = entry.get("links", [])
    return [link for link in links if link.get("rel") == "enclosure"]


def _json_item(item: Mapping[str, Any], about: _About) -> Item:
    url = clean_url(text_of(item.get("url") or item.get("id")), base=about.base)
    title = to_line(text_of(item.get("title"))[:_LONGEST_TITLE])
    label = url or title or "an entry without title"
    try:
        return Item(label=label, draft=_json_draft(item, about, url, title))
    except RefusedError as error:
        return Item(label=label, reason=str(error))


def _json_draft(
    item: Mapping[str, Any], about: _About, url: str | None, title: str
) -> Draft:
    plain = to_plain(text_of(item.get("content_html")), base=url or about.base)
    lines = text_of(item.get("content_text")).splitlines()
    text = plain.paragraphs or tuple(filter(None, map(clean_line, lines)))
    summary = to_line(text_of(item.get("summary")))
    paragraphs = text or ((summary,) if summary else ())
    image = clean_url(text_of(item.get("image") or item.get("banner_image")))
    dated = text_of(item.get("date_published") or item.get("date_modified"))
    return Draft(
        title=title or " ".join(paragraphs)[:80],
        url=url,
        published_on=date_of(dated, about.zone),
        embargo_until=instant_of(dated),
        author=_json_author(item),
        standfirst=summary,
        image=Image(url=image or (plain.picture.url if plain.picture else None)),
        paragraphs=paragraphs,
        source=about.title,
        language=text_of(item.get("language")) or about.language,
        categories=tuple(text_of(tag) for tag in list_of(item.get("tags"))),
        flags=() if text else (EXCERPT,),
    )


def _json_author(item: Mapping[str, Any]) -> str:
    people = [*list_of(item.get("authors")), item.get("author")]
    names = [text_of(p.get("name")) for p in people if isinstance(p, dict)]
    return to_line(", ".join(dict.fromkeys(n for n in names if n)))
