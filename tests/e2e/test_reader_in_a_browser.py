"""A person's whole way, on a phone without scripts, in both languages.

Everything is real: the pages in Chromium, the letters from Postfix's sink, and on the
other side an operator with nothing but the commands.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from digest.templating import Templates, shipped, translations
from tests.e2e.browser import launched
from tests.e2e.house import House, housed, pages_of

SLUGS = {"en": "weekly", "ar": "weekly-ar"}
TITLES = {
    "en": "The council counts its chairs",
    "ar": "المجلس يحصي مقاعده",
}
ADDRESS = "nadia@readers.example"


@pytest.fixture(params=["en", "ar"])
def language(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An installation with both newsletters, whose pages are served."""
    with housed(tmp_path / "home") as found:
        found.digest("init")
        second = shipped("config") / "newsletters/weekly-ar.toml"
        found.digest("newsletters", "add", str(second))
        with pages_of(found):
            yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A phone's page without JavaScript."""
    with browser.new_context(
        java_script_enabled=False, viewport={"width": 375, "height": 800}
    ) as context:
        yield context.new_page()


def publish(house: House, slug: str, title: str) -> None:
    """Compose, approve, release and carry an edition of one story."""
    told = ("--url", "https://paper.example/chairs", "--standfirst", title)
    house.digest("articles", "add", "--title", title, *told, "--newsletter", slug)
    made = house.digest("editions", "compose", "--newsletter", slug)
    edition = str(made["edition"]["id"])
    house.digest("editions", "approve", edition, "--because", "a trial")
    house.digest("editions", "release", edition)
    house.digest("worker", "--once")


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Somebody with a phone and a mailbox."""

    page: Page
    house: House
    language: str
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.house.web_port}/"

    @property
    def heading(self) -> str:
        return self.page.get_by_role("heading", level=1).inner_text()

    @property
    def held(self) -> tuple[str, str, list[str]]:
        """How the subscription stands: its state, its format, its sections."""
        shown = self.house.digest("subscribers", "show", ADDRESS)
        held = shown["subscriptions"][0]
        return held["state"], held["format"], held["sections"]

    def say(self, words: str) -> str:
        """Return words of the pages in the reader's language."""
        return translations(Templates().root, self.language).gettext(words)

    def press(self, words: str) -> None:
        self.page.get_by_role("button", name=self.say(words), exact=True).click()

    def newest_letter(self) -> EmailMessage:
        """Let the worker carry what waits, and look into the mailbox."""
        self.house.digest("worker", "--once")
        return self.house.received()[ADDRESS][-1]

    def follow(self, letter: EmailMessage, path: str) -> None:
        """Open a link of a letter."""
        part = letter.get_body(("plain",))
        assert part is not None
        found = re.search(rf"{self.site}{path}[^\s\u2069]*", part.get_content())
        assert found is not None, path
        self.page.goto(found[0])


@pytest.fixture
def reader(page: Page, house: House, language: str) -> Reader:
    found = Reader(page=page, house=house, language=language)
    page.on("console", lambda message: found.said.append(message.text))
    page.on("request", lambda request: found.asked.append(request.url))
    return found


def test_from_the_sign_up_page_to_an_edition_and_out_and_back(reader: Reader) -> None:
    """One walk, since each step starts where the one before ended."""
    sign_up(reader)
    confirm(reader)
    edition = read(reader)
    choose(reader, edition)
    leave(reader, edition)

    assert reader.said == []
    assert [url for url in reader.asked if not url.startswith(reader.site)] == []
    assert reader.page.context.cookies() == []


def sign_up(reader: Reader) -> None:
    page = reader.page
    page.goto(f"{reader.site}?newsletter={SLUGS[reader.language]}")
    # As fast as a person types, who is no program.
    typed = page.get_by_label(reader.say("E-mail address"))
    typed.press_sequentially(ADDRESS, delay=110)
    page.get_by_text(reader.say("Only some topics?")).click()
    page.get_by_role("checkbox").first.check()
    reader.press("Sign up")
    assert reader.heading == reader.say("Check your inbox")


def confirm(reader: Reader) -> None:
    reader.follow(reader.newest_letter(), "confirm/")
    assert reader.held == ("pending", "html", ["news"])

    reader.press("Yes, send it to me")
    assert reader.heading == reader.say("You are subscribed")
    assert reader.held == ("active", "html", ["news"])


def read(reader: Reader) -> EmailMessage:
    title = TITLES[reader.language]
    publish(reader.house, SLUGS[reader.language], title)
    edition = reader.newest_letter()
    assert title in edition["Subject"]

    reader.follow(edition, "archive/")
    assert reader.heading == edition["Subject"]
    assert reader.page.locator("html").get_attribute("lang") == reader.language
    assert reader.page.get_by_label(reader.say("E-mail address")).is_visible()
    return edition


def choose(reader: Reader, edition: EmailMessage) -> None:
    reader.follow(edition, "preferences/")
    reader.page.get_by_label(reader.say("Plain text")).check()
    reader.press("Save")
    assert reader.page.get_by_role("status").first.is_visible()
    assert reader.held == ("active", "text", ["news"])


def leave(reader: Reader, edition: EmailMessage) -> None:
    reader.follow(edition, "u/")
    assert reader.held[0] == "active"

    reader.press("Unsubscribe")
    assert reader.heading == reader.say("You are out")
    assert reader.held[0] == "unsubscribed"

    reader.press("Undo")
    assert reader.heading == reader.say("You are back")
    assert reader.held == ("active", "text", ["news"])
