"""The editor's words: a little Markdown into safe HTML and plain text.

Emphasis, strong, links, lists and line breaks, nothing else: HTML stays text, pictures
and headings cannot be written. What comes out has passed the sanitiser.
"""

import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from digest.domain.bidi import direction_of
from digest.domain.webaddresses import clean_url

_TAGS = {"p", "br", "em", "strong", "a", "ul", "ol", "li"}
_ATTRIBUTES = {"*": {"dir", "lang"}, "a": {"href"}, "ol": {"start"}}
_SCHEMES = {"https", "http", "mailto"}
_OPENING = re.compile(r"<(p|em|strong|a|ul|ol|li)\b")
_MAILTO = re.compile(r"mailto:[^\s@?]+@[^\s@?]+(\?subject=[^\s&]*)?")
# What stands for a tag in plain text.
_SIGNS = {
    "em_open": "_",
    "em_close": "_",
    "strong_open": "*",
    "strong_close": "*",
    "softbreak": "\n",
    "hardbreak": "\n",
}


class _Markdown(MarkdownIt):
    """Takes a link only where a reader may follow it; else its text stays as it is."""

    def __init__(self) -> None:
        super().__init__("zero", {"breaks": True, "html": False})
        self.enable(["emphasis", "escape", "link", "list", "newline"])

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        return bool(clean_url(url) or _MAILTO.fullmatch(url))


_MARKDOWN = _Markdown()


def unchanged(url: str) -> str:
    """Return an address as it is."""
    return url


@dataclass(frozen=True, kw_only=True)
class Block:
    """A paragraph or the item of a list, as plain text.

    Attributes:
        mark: What stands before it: `* `, `2. `; empty: a paragraph.
        depth: Columns it is indented by.
        text: Its words; a line break is kept.
    """

    mark: str
    depth: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Prose:
    """Words as both parts of a letter show them; false where there are none.

    Attributes:
        html: Sanitised and without any style; `dressed` puts those on.
        blocks: The same as plain text, links as `words [1]`.
        links: What the numbers lead to, in order.
    """

    html: Markup = field(default_factory=Markup)
    blocks: tuple[Block, ...] = ()
    links: tuple[tuple[int, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.html)

    @property
    def word_count(self) -> int:
        """How many words there are to read."""
        return sum(len(block.text.split()) for block in self.blocks)

    def dressed(self, **attributes: str) -> Markup:
        """Put attributes on every element of a name: `p='style="…"'`.

        Mail programs drop style sheets, so each element carries its own style.
        """
        return Markup(  # noqa: S704 - sanitised; the layout wrote the attributes
            _OPENING.sub(
                lambda found: (
                    f"{found[0]} {attributes[found[1]]}"
                    if attributes.get(found[1])
                    else found[0]
                ),
                self.html,
            )
        )

    def plain(self, width: int = 72, *, before: str = "") -> str:
        """Write it as plain text, links on lines of their own below.

        Args:
            width: The most columns; an address is never broken.
            before: What stands before its first words.
        """
        written, was_item = "", False
        for block in self.blocks:
            is_first, is_item = not written, bool(block.mark)
            text = f"{before} {block.text}" if before and is_first else block.text
            gap = "" if is_first else "\n" if is_item and was_item else "\n\n"
            written += gap + _wrap(text, block, width)
            was_item = is_item
        lines = [f"[{number}] {url}" for number, url in self.links]
        return "\n\n".join(part for part in (written, "\n".join(lines)) if part)


class Reader:
    """Reads what an editor wrote for one letter; links are numbered through it.

    Args:
        direction: Of the letter, `ltr` or `rtl`; paragraphs of the other one say so.
        tag: Changes the address of a link.
    """

    def __init__(
        self, direction: str, *, tag: Callable[[str], str] = unchanged
    ) -> None:
        self._direction = direction
        self._tag = tag
        self._next = 1

    def paragraphs(self, text: str) -> Prose:
        """Read paragraphs and lists; a line break is kept."""
        return self._read(_MARKDOWN.parse(text))

    def line(self, text: str) -> Prose:
        """Read one line, which stands in a paragraph of the layout."""
        return self._read(_MARKDOWN.parseInline(" ".join(text.split())))

    def _read(self, tokens: Sequence[Token]) -> Prose:
        links: list[tuple[int, str]] = []
        blocks = [block for block in self._blocks(tokens, links) if block.text]
        if not blocks:
            return Prose()
        html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
        safe = nh3.clean(
            html,
            tags=_TAGS,
            attributes=_ATTRIBUTES,
            url_schemes=_SCHEMES,
            link_rel=None,
        )
        return Prose(
            html=Markup(safe.strip()),  # noqa: S704 - sanitised just now
            blocks=tuple(blocks),
            links=tuple(links),
        )

    def _blocks(
        self, tokens: Sequence[Token], links: list[tuple[int, str]]
    ) -> Iterator[Block]:
        place, opener = _Place(), None
        for token in tokens:
            place.enter(token)
            # In a list without gaps the paragraph of an item is not written.
            if token.type in {"paragraph_open", "list_item_open"} and not token.hidden:
                opener = token
            if token.type != "inline":
                continue
            text = self._say(token.children or [], links)
            turned = direction_of(text, self._direction)
            if opener is not None and turned != self._direction:
                opener.attrSet("dir", turned)
            mark = place.take_mark()
            yield Block(mark=mark, depth=2 * (place.depth - bool(mark)), text=text)

    def _say(self, children: Sequence[Token], links: list[tuple[int, str]]) -> str:
        said, numbers = [], []
        for child in children:
            if child.type == "link_open":
                url = self._tag(str(child.attrGet("href")))
                child.attrs = {"href": url}
                numbers.append(self._next)
                links.append((self._next, url.removeprefix("mailto:")))
                self._next += 1
            elif child.type == "link_close":
                said.append(f" [{numbers.pop()}]")
            else:
                said.append(_SIGNS.get(child.type, child.content))
        return "".join(said).strip()


@dataclass(kw_only=True)
class _Place:
    """Where in which lists the walk through the tokens is."""

    numbers: list[int | None] = field(default_factory=list)
    mark: str = ""

    @property
    def depth(self) -> int:
        return len(self.numbers)

    def enter(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open":
                self.numbers.append(None)
            case "ordered_list_open":
                self.numbers.append(int(token.attrGet("start") or 1))
            case "bullet_list_close" | "ordered_list_close":
                self.numbers.pop()
            case "list_item_open":
                self._begin_item()
            case _:
                pass

    def _begin_item(self) -> None:
        number = self.numbers[-1]
        self.mark = "* " if number is None else f"{number}. "
        if number is not None:
            self.numbers[-1] = number + 1

    def take_mark(self) -> str:
        taken, self.mark = self.mark, ""
        return taken


def _wrap(text: str, block: Block, width: int) -> str:
    start = " " * block.depth + block.mark
    hang = " " * len(start)
    lines = [
        textwrap.fill(
            line,
            width,
            initial_indent=hang if number else start,
            subsequent_indent=hang,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for number, line in enumerate(text.split("\n"))
    ]
    return "\n".join(lines)
