"""The reader of one story's HTML page."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from digest.domain.articles import Draft, Image
from digest.domain.boilerplate import read_byline
from digest.domain.credits import read_credit_line
from digest.domain.datelines import find_date, read_date_line
from digest.domain.errors import RefusedError
from digest.domain.plaintext import clean_line, fold
from digest.domain.webaddresses import clean_url
from digest.ingest.found import date_of, first_read, instant_of, object_of, text_of
from digest.ingest.markup import to_line
from digest.ingest.parser_process import Job, run_apart

_FEWEST_WORDS = 25
_LISTED_FROM = 4  # article elements: a page of one story has few
_STORY_TYPES = ("Article", "NewsArticle", "BlogPosting", "ReportageNewsArticle")
_LIST_TYPES = {"CollectionPage", "SearchResultsPage", "ItemList"}
_MEND = "Give the address of one story, or of the site's feed."


def read_page(html: str, *, zone: ZoneInfo, url: str | None = None) -> Draft:
    """Read the page of one story in a process of its own, limited in time and memory.

    Args:
        html: The page.
        zone: Where dates of publication are dates.
        url: Where it came from.

    Raises:
        RefusedError: It is a list of stories, no story at all, or too much to read.
    """
    found = run_apart(Job.PAGE, html.encode("utf-8", errors="replace"), url)
    if found is None:
        raise RefusedError(
            "The page could not be read within its limits of time and memory.",
            "Copy its text out of a browser and import that.",
        )
    return interpret(found, zone=zone, url=url)


def interpret(
    page: Mapping[str, Any], *, zone: ZoneInfo, url: str | None = None
) -> Draft:
    """Make a draft of what the parser found on a page.

    Args:
        page: As `extraction.extract` returns it.
        zone: Where dates of publication are dates.
        url: Where the page came from.

    Raises:
        RefusedError: It is a list of stories, or no story at all.
    """
    story = _story(page["linked"])
    meta: Mapping[str, str] = page["meta"]
    _refuse_lists(page, story, meta)
    lines = [clean_line(p) for p in page["paragraphs"]]
    title = _title(page, story, meta)
    paragraphs = _body(lines, page["repeated"])
    if sum(len(p.split()) for p in paragraphs) < _FEWEST_WORDS or not title:
        raise RefusedError("No story was found on the page.", _MEND)
    canonical = clean_url(
        page["canonical"] or meta.get("og:url", ""), base=url or meta.get("og:url")
    )
    return Draft(
        title=title,
        url=canonical or url,
        published_on=_published_on(story, meta, lines, zone),
        embargo_until=_published_at(story, meta),
        author=_author(story, meta) or first_read(read_byline, lines),
        standfirst=to_line(meta.get("og:description") or meta.get("description") or ""),
        image=_image(page, story, meta, canonical or url),
        paragraphs=tuple(paragraphs),
        source=to_line(meta.get("og:site_name") or _publisher(story)),
        language=page["language"] or meta.get("og:locale", "").replace("_", "-"),
        categories=_categories(story, meta),
    )


def _story(linked: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return next((node for node in linked if _types(node) & set(_STORY_TYPES)), {})


def _types(node: Mapping[str, Any]) -> set[str]:
    found = node.get("@type")
    return {str(t) for t in (found if isinstance(found, list) else [found])}


def _refuse_lists(
    page: Mapping[str, Any], story: Mapping[str, Any], meta: Mapping[str, str]
) -> None:
    if story or meta.get("og:type") == "article" or _story_date(meta):
        return
    says_list = any(_types(node) & _LIST_TYPES for node in page["linked"])
    if says_list or page["articles"] >= _LISTED_FROM:
        raise RefusedError("The page lists stories; it is not one itself.", _MEND)


def _title(
    page: Mapping[str, Any], story: Mapping[str, Any], meta: Mapping[str, str]
) -> str:
    headlines: Sequence[str] = page["headlines"]
    # One h1 is the headline as readers see it; og:title often carries the site's name.
    offered = [
        headlines[0] if len(headlines) == 1 else "",
        text_of(story.get("headline")),
        meta.get("og:title", ""),
        *headlines,
        page["title"],
    ]
    return next((line for text in offered if (line := to_line(text))), "")


def _body(lines: Sequence[str], repeated: Sequence[str]) -> list[str]:
    # What a page repeats is no sentence of its story: paywall blocks, buttons.
    dropped = {clean_line(text) for text in repeated}
    return [
        line
        for line in lines
        if line not in dropped and not (read_date_line(line) or read_byline(line))
    ]


def _story_date(meta: Mapping[str, str]) -> str:
    return meta.get("article:published_time") or meta.get("datepublished") or ""


def _published_on(
    story: Mapping[str, Any],
    meta: Mapping[str, str],
    lines: Sequence[str],
    zone: ZoneInfo,
) -> date | None:
    for text in (text_of(story.get("datePublished")), _story_date(meta)):
        if found := date_of(text, zone) or find_date(text):
            return found
    return next((found for line in lines[:10] if (found := read_date_line(line))), None)


def _published_at(story: Mapping[str, Any], meta: Mapping[str, str]) -> datetime | None:
    stated = (text_of(story.get("datePublished")), _story_date(meta))
    return next((at for text in stated if (at := instant_of(text))), None)


def _author(story: Mapping[str, Any], meta: Mapping[str, str]) -> str:
    found = story.get("author")
    people = found if isinstance(found, list) else [found]
    names = [p.get("name") if isinstance(p, dict) else p for p in people]
    joined = ", ".join(n for n in names if isinstance(n, str))
    given = joined or meta.get("author") or meta.get("article:author", "")
    return "" if given.startswith("http") else to_line(given)


def _image(
    page: Mapping[str, Any],
    story: Mapping[str, Any],
    meta: Mapping[str, str],
    base: str | None,
) -> Image:
    lines = [clean_line(text) for text in [*page["captions"], *page["paragraphs"][:4]]]
    return Image(
        url=clean_url(meta.get("og:image") or _picture(story.get("image")), base=base),
        credit=first_read(read_credit_line, lines),
        alt=to_line(meta.get("og:image:alt", "")),
    )


def _picture(value: Any) -> str:
    first = value[0] if isinstance(value, list) and value else value
    found = first.get("url") if isinstance(first, dict) else first
    return text_of(found)


def _publisher(story: Mapping[str, Any]) -> str:
    return text_of(object_of(story.get("publisher")).get("name"))


def _categories(story: Mapping[str, Any], meta: Mapping[str, str]) -> tuple[str, ...]:
    section = story.get("articleSection")
    sections = section if isinstance(section, list) else [section]
    named = [meta.get("article:section", ""), *sections]
    lines = (to_line(name) for name in named if isinstance(name, str))
    return tuple({fold(line): line for line in lines if line}.values())
