"""A reader's whole way in real Chromium, without scripts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from digest.bootstrap import Service
from digest.storage import tables
from tests.builders import add_newsletter
from tests.e2e.browser import launched
from tests.e2e.serving import serving

NARROW = {"width": 320, "height": 640}  # WCAG 2.2, 1.4.10


@pytest.fixture
def site(service: Service) -> Iterator[str]:
    """The pages on a real socket, in a thread of their own."""
    add_newsletter(service.db)
    with serving(service) as address:
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


def link_of(service: Service, kind: str) -> str:
    """Return the path of the link in a letter: the confirmation's or the way out."""
    with service.db.read() as tx:
        query = tables.notices.select().where(tables.notices.c.kind == kind)
        text: str = tx.execute(query).one().text
    marker = "/confirm/" if kind == "confirmation" else "/u/"
    return marker + text.partition(marker)[2].split()[0]


def state(service: Service) -> str:
    with service.db.read() as tx:
        return str(tx.execute(tables.subscriptions.select()).one().state)


def test_a_reader_signs_up_confirms_leaves_and_comes_back(
    page: Page, site: str, service: Service
) -> None:
    """One walk, since each step starts where the one before ended."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(site)
    page.get_by_label("E-mail address").fill("nadia@example.test")
    page.get_by_label("Features").check()
    page.get_by_role("button", name="Sign up").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Check your inbox"
    assert state(service) == "pending"

    page.goto(site + link_of(service, "confirmation"))
    page.get_by_role("button", name="Yes, send it to me").click()
    assert page.get_by_role("heading", level=1).inner_text() == "You are subscribed"
    assert state(service) == "active"

    page.goto(site + link_of(service, "welcome"))
    page.get_by_role("button", name="Unsubscribe").click()
    assert page.get_by_role("heading", level=1).inner_text() == "You are out"
    assert state(service) == "unsubscribed"

    page.get_by_role("button", name="Undo").click()
    assert page.get_by_role("heading", level=1).inner_text() == "You are back"
    assert state(service) == "active"

    assert said == []
    assert all(url.startswith(site) for url in asked)
    assert page.context.cookies() == []


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
