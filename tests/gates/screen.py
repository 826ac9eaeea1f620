"""The reference letter on a screen: widths, schemes, with pictures and without."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, Route

from tests.e2e.browser import ADDRESS
from tests.gates.letters import Written


@contextmanager
def opened(
    browser: Browser,
    letter: Written,
    *,
    width: int,
    scheme: str = "light",
    images: bool = True,
    styles: bool = True,
) -> Iterator[Page]:
    """Open the letter; its pictures are at hand, and nothing else is answered.

    Args:
        browser: Chromium.
        letter: The letter.
        width: Of the screen, in CSS pixels.
        scheme: `light` or `dark`.
        images: Whether pictures are shown; most programs ask first.
        styles: Whether `<style>` is kept; Gmail drops it for other firms' addresses.
    """
    html = letter.html if styles else re.sub(r"(?s)<style>.*?</style>", "", letter.html)

    def answer(route: Route) -> None:
        url = route.request.url
        if url == ADDRESS:
            route.fulfill(body=html, content_type="text/html; charset=utf-8")
        elif images and url in letter.pictures:
            route.fulfill(body=letter.pictures[url], content_type="image/jpeg")
        else:
            route.abort()

    with browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    ) as context:
        page = context.new_page()
        page.route("**/*", answer)
        page.goto(ADDRESS, wait_until="load")
        yield page
