"""Preflight rules about the rendered letter: size, links, the way out."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from digest.compose.finding import Finding, refuse, warn
from digest.domain.site import Site
from digest.domain.slots import Slot, marker
from digest.templating import Letter

WARN_BYTES = 60 * 1024
MOST_BYTES = 80 * 1024
CLIP_BYTES = 102 * 1024
"""Where the largest web mail cuts a letter off."""

_GENERIC = frozenset(
    {"here", "click here", "read more", "more", "link", "this", "this link", "read"}
    | {"هنا", "اضغط هنا", "المزيد", "اقرأ المزيد", "الرابط"}
)
_TEXT_LINK = re.compile(r"https?://\S+")


class _Links(HTMLParser):
    """Collects the links of a letter with the words a reader sees on them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str]] = []
        self._href: str | None = None
        self._words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._href, self._words = dict(attrs).get("href") or "", []
        elif tag == "img" and self._href is not None:
            self._words.append(dict(attrs).get("alt") or "")

    def handle_data(self, data: str) -> None:
        self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._href is not None:
            self.found.append((self._href, " ".join("".join(self._words).split())))
            self._href = None


def check_letter(letter: Letter, site: Site) -> Iterator[Finding]:
    """Check one rendering of an edition."""
    yield from _check_size(letter)
    yield from _check_way_out(letter, site)
    links = _Links(letter.html).found
    for url, words in links:
        if words.casefold().strip(" .:»→") in _GENERIC:
            yield warn(
                "link-text", f'A link only says "{words}": say where it goes.', url
            )
    in_html = {url for url, _ in links if _TEXT_LINK.match(url)}
    missing = sorted(in_html - set(_TEXT_LINK.findall(letter.text)))
    if missing:
        yield refuse(
            "text-links",
            f"The plain-text part lacks {len(missing)} links of the HTML part, "
            f"among them {missing[0]}.",
            "body.txt",
        )


def _check_size(letter: Letter) -> Iterator[Finding]:
    size = len(letter.html.encode("utf-8"))
    shown = f"The HTML part has {size // 1024} KB"
    if size > MOST_BYTES:
        yield refuse(
            "size", f"{shown}; more than {MOST_BYTES // 1024} is cut off.", "body.html"
        )
    elif size > WARN_BYTES:
        yield warn(
            "size", f"{shown}; aim for less than {WARN_BYTES // 1024}.", "body.html"
        )


def _check_way_out(letter: Letter, site: Site) -> Iterator[Finding]:
    address = site.unsubscribe_url(marker(Slot.UNSUBSCRIBE_TOKEN))
    shown = letter.html.encode("utf-8")[:CLIP_BYTES].decode("utf-8", "ignore")
    for part, text in (("body.html", shown), ("body.txt", letter.text)):
        if address not in text:
            yield refuse("unsubscribe", "The unsubscribe link is missing.", part)
