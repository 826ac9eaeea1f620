"""Take the HTML part of a letter apart: elements, links and words, for preflight."""

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr"})
_SILENT = frozenset({"style", "script", "title"})
_HIDDEN = re.compile(r"(display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)


@dataclass(frozen=True)
class Element:
    """A start tag; attribute names are in lower case, absent values empty."""

    tag: str
    attributes: dict[str, str]


@dataclass(frozen=True)
class Link:
    """A link.

    Attributes:
        url: Where it leads.
        words: What a reader sees on it, or an image's alt text.
        is_hidden: Whether it stands in something that is not shown.
    """

    url: str
    words: str
    is_hidden: bool


@dataclass
class _Anchor:
    url: str
    is_hidden: bool
    words: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """What stands in a page.

    Args:
        html: The whole page.

    Attributes:
        elements: Every start tag, in order.
        links: Every `<a href>` that is closed, in order.
        styles: Style sheets and style attributes.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.links: list[Link] = []
        self.styles: list[str] = []
        self._runs: list[tuple[str, bool]] = []
        self._open: list[tuple[str, bool]] = []
        self._counts: Counter[str] = Counter()
        self._anchor: _Anchor | None = None
        self.feed(html)
        self.close()

    @property
    def words(self) -> str:
        """All words a reader sees, runs of white space as one space."""
        return _spaced(" ".join(text for text, hidden in self._runs if not hidden))

    @property
    def first_words(self) -> str:
        """What mail programs show after the subject: hidden words count."""
        return _spaced(" ".join(text for text, _ in self._runs[:20]))

    def all(self, *tags: str) -> list[Element]:
        """Return the elements of these names, in order."""
        return [element for element in self.elements if element.tag in tags]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # Of two attributes with one name the first counts, as in browsers.
        attributes = {name: value or "" for name, value in reversed(attrs)}
        self.elements.append(Element(tag, attributes))
        style = attributes.get("style", "")
        if style:
            self.styles.append(style)
        hidden = self._is_hidden or tag in _SILENT or bool(_HIDDEN.search(style))
        if tag not in _VOID:
            self._open.append((tag, hidden))
            self._counts[tag] += 1
        if tag == "a":
            self._anchor = _Anchor(attributes.get("href", ""), hidden)
        elif tag == "img" and self._anchor is not None:
            self._anchor.words.append(attributes.get("alt", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._anchor is not None:
            done, self._anchor = self._anchor, None
            words = _spaced("".join(done.words))
            self.links.append(Link(done.url, words, done.is_hidden))
        # Counted: looking for what is not open, again and again, could take hours.
        while self._counts[tag]:
            last, _ = self._open.pop()
            self._counts[last] -= 1
            if last == tag:
                break

    def handle_data(self, data: str) -> None:
        inner = self._open[-1][0] if self._open else ""
        if inner == "style":
            self.styles.append(data)
        elif inner not in _SILENT and data.strip():
            self._runs.append((data, self._is_hidden))
        if self._anchor is not None:
            self._anchor.words.append(data)

    @property
    def _is_hidden(self) -> bool:
        return bool(self._open) and self._open[-1][1]


def _spaced(text: str) -> str:
    return " ".join(text.split())
