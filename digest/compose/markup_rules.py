"""Preflight rules about the HTML part: safe, and readable for everybody."""

import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import urlsplit

from digest.compose.finding import Finding, refuse, warn
from digest.compose.page import Element, Page
from digest.domain.newsletters import Newsletter
from digest.domain.site import Site

_WHERE = "body.html"
_ACTIVE = frozenset(
    {"script", "iframe", "frame", "object", "embed", "applet", "form", "input"}
    | {"button", "select", "textarea", "base", "link", "video", "audio", "svg", "math"}
)
_ADDRESSES = ("href", "src", "background", "action", "srcset", "poster", "xlink:href")
_SCHEMES = frozenset({"https", "http", "mailto"})
_IN_STYLE = re.compile(r"url\(\s*['\"]?\s*([^'\")\s]*)|(@import\b)", re.IGNORECASE)
_HEADING = re.compile(r"h([1-6])")


def check_markup(page: Page, newsletter: Newsletter, site: Site) -> Iterator[Finding]:
    """Check one HTML part."""
    yield from _check_active(page)
    yield from _check_addresses(page)
    yield from _check_language(page, newsletter)
    yield from _check_headings(page)
    yield from _check_tables(page)
    for image in page.all("img"):
        yield from _check_image(image, site)


def _check_active(page: Page) -> Iterator[Finding]:
    for element in page.elements:
        handlers = [name for name in element.attributes if name.startswith("on")]
        refreshes = element.tag == "meta" and "http-equiv" in element.attributes
        if element.tag in _ACTIVE or handlers or refreshes:
            what = handlers[0] if handlers else f"<{element.tag}>"
            yield refuse(
                "active-content",
                f"The letter holds {what}, which mail programs block or warn of.",
                _WHERE,
            )


def _check_addresses(page: Page) -> Iterator[Finding]:
    named = [
        value
        for element in page.elements
        for name, value in element.attributes.items()
        if name in _ADDRESSES and (value or element.tag in {"a", "img"})
    ]
    styled = [found[1] or found[0] for text in page.styles for found in _in_style(text)]
    for address in [*named, *styled]:
        if _scheme(address) not in _SCHEMES:
            yield refuse(
                "unsafe-address",
                f"{address[:80]!r} is no address that a letter may carry: "
                "use https:// or mailto:.",
                _WHERE,
            )


def _in_style(text: str) -> Iterator[re.Match[str]]:
    return _IN_STYLE.finditer(text)


def _scheme(address: str) -> str:
    try:
        return urlsplit(address.strip()).scheme.lower()
    except ValueError:
        return ""


def _check_language(page: Page, newsletter: Newsletter) -> Iterator[Finding]:
    wanted = {"lang": newsletter.language, "dir": newsletter.direction}
    # Some mail programs replace <html> and <body>: an inner element says it again.
    inner = [e for e in page.all("div", "td", "table") if "lang" in e.attributes]
    places = {"<html>": page.all("html"), "the wrapper in <body>": inner}
    for place, found in places.items():
        said = found[0].attributes if found else {}
        for name, value in wanted.items():
            if said.get(name) != value:
                yield warn(
                    "language",
                    f'{place} should say {name}="{value}", for readers who listen.',
                    _WHERE,
                )


def _check_headings(page: Page) -> Iterator[Finding]:
    levels = [
        int(found[1]) for e in page.elements if (found := _HEADING.fullmatch(e.tag))
    ]
    if levels.count(1) != 1:
        yield warn(
            "headings", f"There are {levels.count(1)} <h1>; one is right.", _WHERE
        )
    for before, after in pairwise(levels):
        if after > before + 1:
            yield warn("headings", f"After an <h{before}> comes an <h{after}>.", _WHERE)


def _check_tables(page: Page) -> Iterator[Finding]:
    tables = page.all("table")
    roles = {"presentation", "none"}
    plain = [t for t in tables if t.attributes.get("role") not in roles]
    if plain:
        yield warn(
            "table-role",
            f'{len(plain)} tables lack role="presentation": they are read out as data.',
            _WHERE,
        )


def _check_image(image: Element, site: Site) -> Iterator[Finding]:
    said, source = image.attributes, image.attributes.get("src", "")
    if "alt" not in said:
        yield refuse("image-alt", "A picture has no alt attribute.", source or _WHERE)
    if not (said.get("width", "").isdecimal() and said.get("height", "").isdecimal()):
        yield warn(
            "image-size",
            "A picture lacks width or height: the letter jumps as it loads.",
            source or _WHERE,
        )
    if source.lower().startswith("http:") and not source.startswith(site.base_url):
        yield warn("insecure-link", f"The picture {source} is not https.", _WHERE)
