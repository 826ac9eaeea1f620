"""The pages in real Chromium, without scripts: by keyboard, and on a small phone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from playwright.sync_api import Browser, Page

from digest.bootstrap import Service
from digest.storage import tables
from tests.builders import NOW, add_newsletter
from tests.e2e.browser import launched
from tests.e2e.serving import serving

NARROW = {"width": 320, "height": 640}  # WCAG 2.2, 1.4.10


@pytest.fixture
def site(service: Service) -> Iterator[str]:
    """The pages on a real socket, in a thread of their own."""
    add_newsletter(service.db)
    # A person takes their time, and so does this clock.
    seconds = count(step=2)
    slow = replace(service, clock=lambda: NOW + timedelta(seconds=next(seconds)))
    with serving(slow) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page without JavaScript."""
    with browser.new_context(java_script_enabled=False) as context:
        yield context.new_page()


def state(service: Service) -> str:
    with service.db.read() as tx:
        return str(tx.execute(tables.subscriptions.select()).one().state)


def test_the_keyboard_alone_is_enough(page: Page, site: str, service: Service) -> None:
    page.goto(site)
    page.get_by_label("E-mail address").focus()

    page.keyboard.type("nadia@example.test")
    page.keyboard.press("Enter")

    page.get_by_role("heading", name="Check your inbox").wait_for()
    assert state(service) == "pending"


@pytest.mark.parametrize("path", ["/", "/archive", "/help", "/privacy", "/u/x", "/no"])
def test_no_page_scrolls_sideways_on_a_small_phone(
    browser: Browser, site: str, path: str
) -> None:
    with browser.new_context(
        viewport={"width": NARROW["width"], "height": NARROW["height"]}
    ) as context:
        page = context.new_page()
        page.goto(site + path)

        width = page.evaluate("document.documentElement.scrollWidth")

    assert width <= NARROW["width"]
