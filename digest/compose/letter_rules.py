"""Preflight rules about the rendered letter: size, both parts alike, the way out."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from digest.compose.finding import Finding, refuse, warn
from digest.compose.page import Page
from digest.compose.posting import Known
from digest.compose.view import EditionView, clean
from digest.domain.newsletters import Newsletter
from digest.domain.site import Site
from digest.domain.slots import Slot, marker
from digest.templating import Letter

WARN_BYTES = 60 * 1024
MOST_BYTES = 80 * 1024
CLIP_BYTES = 102 * 1024
"""Where the largest web mail cuts a letter off."""

LONGEST_LINE = 78
_TEXT_LINK = re.compile(r"https?://\S+")
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_LEFTOVERS = re.compile(
    r"\{\{|\}\}|\{%|%\}|\{#|%\(\w+\)[sd]|&(?:amp|lt|gt|quot|nbsp|#\d+);"
    r"|\b(?:None|undefined|NaN|TODO|[Ll]orem ipsum)\b|\[object "
)


def check_letter(letter: Letter, page: Page, site: Site) -> Iterator[Finding]:
    """Check that both parts can be read and left.

    Args:
        letter: One rendering, personal values as slots.
        page: Its HTML part.
        site: Its public addresses.
    """
    yield from _check_size(letter)
    yield from _check_way_out(letter, page, site)
    yield from _check_tokens(letter, site)
    yield from _check_lines(letter)
    links = {link.url for link in page.links if _TEXT_LINK.match(link.url)}
    missing = sorted(links - set(_TEXT_LINK.findall(letter.text)))
    if missing:
        yield refuse(
            "text-links",
            f"The plain-text part lacks {len(missing)} links of the HTML part, "
            f"among them {missing[0]}.",
            "body.txt",
        )


def check_content(letter: Letter, page: Page, view: EditionView) -> Iterator[Finding]:
    """Check that both parts hold every story, and the preheader comes first."""
    for part, text in (("body.html", page.words), ("body.txt", _bare(letter.text))):
        shown = _bare(text)
        lost = [s.title for s in view.stories if _bare(s.title) not in shown]
        if lost:
            yield refuse(
                "story-lost",
                f"{part} lacks {len(lost)} of the stories, among them {lost[0]!r}.",
                part,
            )
    preheader = _bare(view.edition.preheader)
    if preheader and not _bare(page.first_words).startswith(preheader):
        yield warn(
            "preheader-lost",
            "The preheader does not come first: mail programs show something else.",
            "body.html",
        )


def check_leftovers(
    letter: Letter, page: Page, sources: Sequence[Any]
) -> Iterator[Finding]:
    """Check that the layout left no piece of itself among the words.

    Args:
        letter: One rendering.
        page: Its HTML part.
        sources: All that came from outside; what stands there may stand here.
    """
    given = "\n".join(clean(text) for source in sources for text in _texts(source))
    for part, text in (
        ("subject.txt", letter.subject),
        ("body.html", page.words),
        ("body.txt", letter.text),
    ):
        found = {match[0] for match in _LEFTOVERS.finditer(text)}
        for piece in sorted(piece for piece in found if piece not in given):
            yield refuse(
                "leftover", f"{piece!r} stands among the words: mend the layout.", part
            )


def check_strangers(
    letter: Letter, newsletter: Newsletter, site: Site, known: Known
) -> Iterator[Finding]:
    """Check that no letter shows the address of another reader."""
    sender = newsletter.sender
    ours = {sender.address.lower(), sender.reply_to.lower()}
    found = {address.rstrip(".").lower() for address in _ADDRESS.findall(letter.text)}
    for address in sorted(found - ours):
        is_ours = address.endswith(f"@{site.mail_domain}")
        if not is_ours and known.is_reader(address):
            yield warn(
                "reader-address",
                f"{address} is a reader's address, and everybody would see it.",
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


def _check_way_out(letter: Letter, page: Page, site: Site) -> Iterator[Finding]:
    address = site.unsubscribe_url(marker(Slot.UNSUBSCRIBE_TOKEN))
    shown = letter.html.encode("utf-8")[:CLIP_BYTES].decode("utf-8", "ignore")
    visible = any(
        link.url == address and link.words and not link.is_hidden for link in page.links
    )
    if visible and address not in shown:
        yield refuse(
            "unsubscribe",
            f"The unsubscribe link comes after the first {CLIP_BYTES // 1024} KB, "
            "where web mail cuts the letter off.",
            "body.html",
        )
    for part, found in (
        ("body.html", visible),
        ("body.txt", address in letter.text),
    ):
        if not found:
            yield refuse("unsubscribe", "The unsubscribe link is missing.", part)


def _check_tokens(letter: Letter, site: Site) -> Iterator[Finding]:
    """A link with somebody's token in it acts for them, whoever follows it."""
    personal = re.compile(
        re.escape(site.base_url) + r"/(?:u|preferences|confirm)/(?=[\w.~-])\S*"
    )
    for part, text in (("body.html", letter.html), ("body.txt", letter.text)):
        if personal.search(text):
            yield refuse(
                "foreign-token",
                "A link holds one reader's token, and all readers would get it.",
                part,
            )


def _check_lines(letter: Letter) -> Iterator[Finding]:
    long = [
        line
        for line in letter.text.splitlines()
        if len(line) > LONGEST_LINE and "://" not in line and "@" not in line
    ]
    if long:
        yield warn(
            "text-lines",
            f"{len(long)} lines of the plain-text part are longer than "
            f"{LONGEST_LINE} characters, among them {long[0][:40]!r}.",
            "body.txt",
        )


def _bare(text: str) -> str:
    """Fold what the two parts may differ in: white space, case, invisible marks."""
    words = "".join(
        c for c in text if not "\u2066" <= c <= "\u2069" and c not in _MARKS
    )
    return " ".join(words.split()).casefold()


_MARKS = frozenset("\u200e\u200f\u061c\u034f\ufeff\u200b")


def _texts(source: Any) -> Iterator[str]:
    """Walk a record for every text in it."""
    if isinstance(source, str):
        yield source
    elif is_dataclass(source):
        for field in fields(source):
            yield from _texts(getattr(source, field.name))
    elif isinstance(source, dict):
        for value in source.values():
            yield from _texts(value)
    elif isinstance(source, (list, tuple)):
        for value in source:
            yield from _texts(value)
