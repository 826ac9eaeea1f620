"""HTML from outside into plain text: nothing of the markup survives."""

import re
from collections import Counter
from dataclasses import dataclass
from html.parser import HTMLParser

import nh3

from digest.domain.errors import RefusedError
from digest.domain.plaintext import clean_line
from digest.domain.webaddresses import clean_url

_BLOCKS_LISTED = (
    "address article aside blockquote br dd div dl dt fieldset figcaption figure "
    "footer h1 h2 h3 h4 h5 h6 header hr li main ol p pre section table td th tr "
    "ul "
)
_BLOCKS = frozenset(_BLOCKS_LISTED.split())
# Left out with everything inside them.
_DROPPED_LISTED = (
    "applet audio button canvas embed form frameset head iframe math nav noembed "
    "noframes noscript object plaintext script select style svg template textarea "
    "title video xmp "
)
_DROPPED = frozenset(_DROPPED_LISTED.split())
_LONGEST = 2_000_000
# The sanitiser's time grows with the square of how deep elements stand in each other,
# and with that of the ampersands.
_MOST_OPEN = 2_000
_TAG = re.compile(r"<(/?)([a-z][^\s/>]*)", re.IGNORECASE)
# Their next one, or nothing at all, closes them.
_NEVER_NESTED_LISTED = (
    "area base br col dd dt embed hr img input li link meta option p param source "
    "td th tr track wbr"
)
_NEVER_NESTED = frozenset(_NEVER_NESTED_LISTED.split())
_MOST_AMPERSANDS = 300_000  # more than 2 MB of numeric references are
_DEEPEST = 3  # how many times over sources have been seen to encode
_LOOKS_TAGGED = re.compile(r"<[a-z/!]", re.IGNORECASE)
_PICTURE_SOURCES = ("data-lazy-src", "data-src", "data-original", "src")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture found in a text.

    Attributes:
        url: Absolute http(s) address.
        alt: Its alternative text; may be empty.
    """

    url: str
    alt: str


@dataclass(frozen=True, kw_only=True)
class Plain:
    """What a piece of HTML says.

    Attributes:
        paragraphs: The text in order, one entry per block.
        captions: Text of `figcaption`, not among the paragraphs.
        picture: The first picture, or None.
    """

    paragraphs: tuple[str, ...]
    captions: tuple[str, ...]
    picture: Picture | None


def to_plain(html: str, *, base: str | None = None) -> Plain:
    """Take the text out of HTML.

    Args:
        html: A fragment or page of any quality.
        base: What relative picture addresses are relative to.

    Raises:
        RefusedError: It is larger than 2 MB, nested thousands deep or full of
            ampersands, which no story is.
    """
    if len(html) > _LONGEST:
        raise RefusedError("The story's HTML is larger than 2 MB.")
    if html.count("&") > _MOST_AMPERSANDS or _is_too_deep(html):
        raise RefusedError("The story's HTML is nested too deep, or all ampersands.")
    safe = nh3.clean(
        html,
        tags=set(_BLOCKS),
        clean_content_tags=set(_DROPPED),
        attributes={},
        link_rel=None,
    )
    blocks = _Blocks()
    blocks.feed(safe)
    blocks.close()
    blocks.end_block()
    return Plain(
        paragraphs=tuple(blocks.paragraphs),
        captions=tuple(blocks.captions),
        picture=_first_picture(html, base) if "<img" in html.lower() else None,
    )


def _is_too_deep(html: str) -> bool:
    """Count elements that are open; those closed unopened close nothing."""
    opened: Counter[str] = Counter()
    depth = 0
    for found in _TAG.finditer(html):
        name = found[2].lower()
        if name in _NEVER_NESTED:
            continue
        step = 1 if not found[1] else -min(opened[name], 1)
        opened[name] += step
        depth += step
        if depth > _MOST_OPEN:
            return True
    return False


def to_line(html: str) -> str:
    """Take the text out of HTML as one line."""
    return " ".join(to_plain(html).paragraphs)


def untag(text: str) -> str:
    """Clean text that should hold no markup: typed, pasted, or encoded twice.

    Tags written out in it are taken for a mistake of the source; a lone `<` is kept.
    """
    line = clean_line(text)
    for _ in range(_DEEPEST):
        if not _LOOKS_TAGGED.search(line):
            break
        line = to_line(line)
    return line


class _Blocks(HTMLParser):
    """Collects text per block out of HTML that nh3 has made well-formed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.paragraphs: list[str] = []
        self.captions: list[str] = []
        self._pieces: list[str] = []
        self._captions_open = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - none is left
        self.end_block()
        self._captions_open += tag == "figcaption"

    def handle_endtag(self, tag: str) -> None:
        self.end_block()
        self._captions_open -= tag == "figcaption"

    def handle_data(self, data: str) -> None:
        self._pieces.append(data)

    def end_block(self) -> None:
        """Close the block that is being collected."""
        line = clean_line("".join(self._pieces))
        self._pieces = []
        if line:
            (self.captions if self._captions_open else self.paragraphs).append(line)


class _Pictures(HTMLParser):
    def __init__(self, base: str | None) -> None:
        super().__init__(convert_charrefs=True)
        self.found: Picture | None = None
        self._base = base

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "img" or self.found is not None:
            return
        values = {name: value or "" for name, value in attrs}
        # A tracking pixel is no picture.
        if values.get("width") in {"0", "1"} or values.get("height") in {"0", "1"}:
            return
        for name in _PICTURE_SOURCES:
            url = clean_url(values.get(name, ""), base=self._base)
            if values.get(name) and url:
                self.found = Picture(url=url, alt=clean_line(values.get("alt", "")))
                return


def _first_picture(html: str, base: str | None) -> Picture | None:
    # The parser is quadratic on markup that never closes: nh3 closes it first.
    safe = nh3.clean(
        html,
        tags={"img"},
        attributes={"img": {"alt", "width", "height", *_PICTURE_SOURCES}},
        clean_content_tags=set(_DROPPED),
        generic_attribute_prefixes=set(),
        link_rel=None,
        url_schemes={"http", "https"},
    )
    pictures = _Pictures(base)
    pictures.feed(safe)
    pictures.close()
    return pictures.found
