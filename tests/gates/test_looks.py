"""Pictures of the letter for people to look at, and what can be seen without looking.

They are kept in `var/screenshots`: `make screenshots` makes them alone.
"""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.gates.letters import Written
from tests.gates.screen import opened

FOLDER = Path(__file__).parents[2] / "var" / "screenshots"
_READABLE = 13  # pixels: the small print of a picture's credit
_LINKS = """
() => [...document.links].map(a => ({
  href: a.href,
  words: a.innerText.trim() || [...a.querySelectorAll('img')].map(i => i.alt).join(' '),
  height: a.getBoundingClientRect().height,
  width: a.getBoundingClientRect().width,
}))
"""


def take(page: Page, name: str) -> Path:
    """Keep a picture of the whole letter."""
    path = FOLDER / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path, full_page=True)
    return path


def fits(page: Page, width: int) -> bool:
    """Whether nothing has to be scrolled sideways."""
    found: int = page.evaluate("document.documentElement.scrollWidth")
    return found <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 700])
def test_the_letter_fits_the_screen(
    browser: Browser, letter: Written, edition: str, width: int, scheme: str
) -> None:
    with opened(browser, letter, width=width, scheme=scheme) as page:
        taken = take(page, f"{edition}-{width}-{scheme}")

        assert fits(page, width)
        assert taken.stat().st_size > 20_000


@pytest.mark.parametrize("width", [375, 700])
def test_it_can_be_read_with_pictures_blocked(
    browser: Browser, letter: Written, edition: str, width: int
) -> None:
    with opened(browser, letter, width=width, images=False) as page:
        take(page, f"{edition}-{width}-images-off")
        links: list[dict[str, Any]] = page.evaluate(_LINKS)

        assert page.locator("h1").is_visible()
        assert len(links) == letter.html.count("<a ")
        assert [
            link
            for link in links
            if not link["words"] or min(link["height"], link["width"]) < _READABLE
        ] == []


def test_it_can_be_read_where_styles_are_dropped(
    browser: Browser, letter: Written, edition: str
) -> None:
    with opened(browser, letter, width=375, images=False, styles=False) as page:
        take(page, f"{edition}-375-styles-off")

        assert fits(page, 375)
        assert page.locator("h1").is_visible()


def test_both_parts_have_the_same_links(letter: Written) -> None:
    inside = {unescape(url) for url in re.findall(r'href="(https:[^"]+)"', letter.html)}

    assert sorted(url for url in inside if url not in letter.text) == []
