"""One normaliser behind every reader: what comes out of it is safe to store."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import takewhile
from urllib.parse import urlsplit

from digest.domain.articles import CREDIT_SPLIT, NO_DATE, Draft, Image
from digest.domain.boilerplate import ends_story, is_furniture
from digest.domain.credits import read_credit_line, split_credit
from digest.domain.errors import RefusedError
from digest.domain.plaintext import fold
from digest.domain.standfirsts import cut_standfirst, strip_feed_tail
from digest.domain.webaddresses import clean_url
from digest.ingest.markup import untag

_LONGEST_TITLE = 300
_LONGEST_NAME = 200
_LONGEST_LANGUAGE = 35
_LONGEST_STORY = 300_000  # characters: ten times the longest reportage
_MOST_CATEGORIES = 50
_FEATURED = "featured"


def normalise(draft: Draft, *, as_written: bool = False) -> Draft:
    """Clean every field of what a reader found and fill what can be derived.

    Args:
        draft: What was found.
        as_written: A person typed it: the standfirst is not cut or taken apart.

    Returns:
        Plain printable text throughout, absolute http(s) addresses, a credit of its
        own, a proposed standfirst of one or two sentences.

    Raises:
        RefusedError: There is no headline, or the story is absurdly long.
    """
    title = untag(draft.title)
    if not title:
        raise RefusedError(
            "The story has no headline.", "Add it with: digest articles add"
        )
    paragraphs, credit = _body(draft)
    standfirst, run_in = (
        (untag(draft.standfirst), "") if as_written else _standfirst(draft, paragraphs)
    )
    categories = _unique(draft.categories)[:_MOST_CATEGORIES]
    cleaned = replace(
        draft,
        title=_shorten(title, _LONGEST_TITLE),
        url=clean_url(draft.url or ""),
        author=_name(draft.author),
        standfirst=standfirst,
        image=_image(draft.image, credit or run_in),
        paragraphs=tuple(paragraphs),
        source=_name(draft.source) or _host(draft.url),
        language=untag(draft.language)[:_LONGEST_LANGUAGE],
        categories=categories,
        featured=draft.featured or any(fold(c) == _FEATURED for c in categories),
    )
    return replace(cleaned, flags=_flags(cleaned, is_split=bool(credit or run_in)))


def _body(draft: Draft) -> tuple[list[str], str]:
    """Return the paragraphs of the story, and a credit that was run into the first."""
    lines = [line for p in draft.paragraphs if (line := untag(p))]
    if sum(map(len, lines)) > _LONGEST_STORY:
        raise RefusedError(
            f"The story is longer than {_LONGEST_STORY:,} characters.",
            "Import the story alone, not a whole site.",
        )
    if lines:
        lines[-1] = strip_feed_tail(lines[-1])
    kept = _without_furniture(lines, draft.title)
    if not kept:
        return [], ""
    credit, first = split_credit(kept[0])
    return [first, *kept[1:]], credit


def _without_furniture(lines: Sequence[str], title: str) -> list[str]:
    first = next((i for i, line in enumerate(lines) if not ends_story(line)), 0)
    until_end = takewhile(lambda line: not ends_story(line), lines[first:])
    return [
        line
        for line in until_end
        if line
        and not is_furniture(line)
        and fold(line) != fold(title)
        and not read_credit_line(line)
    ]


def _standfirst(draft: Draft, paragraphs: Sequence[str]) -> tuple[str, str]:
    given = strip_feed_tail(untag(draft.standfirst))
    credit, text = split_credit(given)
    # A description cut off by the source says less than the first paragraph does.
    is_stump = not text or (text.endswith(("…", "...")) and bool(paragraphs))
    proposed = paragraphs[0] if is_stump and paragraphs else text
    return cut_standfirst(proposed), credit


def _image(image: Image, split: str) -> Image:
    line = untag(image.credit)
    return Image(
        url=clean_url(image.url or ""),
        credit=_shorten((read_credit_line(line) or line) or split, _LONGEST_NAME),
        alt=_shorten(untag(image.alt), _LONGEST_TITLE),
    )


def _flags(draft: Draft, *, is_split: bool) -> tuple[str, ...]:
    flags = dict.fromkeys(draft.flags)
    if is_split:
        flags[CREDIT_SPLIT] = None
    if draft.published_on is None:
        flags[NO_DATE] = None
    return tuple(flags)


def _name(text: str) -> str:
    return _shorten(untag(text), _LONGEST_NAME)


def _shorten(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _host(url: str | None) -> str:
    found = clean_url(url or "")
    host = urlsplit(found).hostname if found else None
    return (host or "").removeprefix("www.")


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(n for name in names if (n := _name(name))))
