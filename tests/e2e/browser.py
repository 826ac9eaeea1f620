"""Debian's Chromium, and a page that notes what its content tries to do."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
ADDRESS = "https://letter.example.test/"
"""Where a page that was handed over, not served, stands."""


@contextmanager
def launched() -> Iterator[Browser]:
    """Start Chromium; skips the test that asks where there is none."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic"],
        )
        try:
            yield started
        finally:
            started.close()


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A page with scripts allowed, and every sign that its content is alive.

    Attributes:
        page: The page; nothing it asks for leaves this machine.
        dialogs: What it said in dialogs.
        asked: Addresses it asked for, besides its own.
        scripts: Scripts that Chromium parsed, by their address.
    """

    page: Page
    dialogs: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)

    @property
    def signs(self) -> list[str]:
        """All of them."""
        return [*self.dialogs, *self.asked, *self.scripts]

    def forget(self) -> None:
        """Start anew: what our own questions to a page parsed is no sign."""
        for noted in (self.dialogs, self.asked, self.scripts):
            noted.clear()

    def show(self, html: str, *, pictures: Collection[str] = ()) -> None:
        """Show a page with no server and no policy behind it, as at its worst.

        Args:
            html: The page.
            pictures: Addresses it may ask for; nobody answers.
        """

        def answer(route: Route) -> None:
            if route.request.url == ADDRESS:
                route.fulfill(body=html, content_type="text/html; charset=utf-8")
            elif route.request.url in pictures:
                route.abort()
            else:
                self.asked.append(route.request.url)
                route.abort()

        self.page.unroute_all()
        self.page.route("**/*", answer)
        self._go(ADDRESS)

    def visit(self, url: str) -> None:
        """Visit a page that is served, and let it fetch only from its own server."""
        site = "/".join(url.split("/")[:3])

        def answer(route: Route) -> None:
            if route.request.url.startswith(f"{site}/"):
                route.continue_()
            else:
                self.asked.append(route.request.url)
                route.abort()

        self.page.unroute_all()
        self.page.route("**/*", answer)
        self._go(url)

    def _go(self, url: str) -> None:
        self.page.goto(url, wait_until="load")
        # What is late, as `<body onpageshow>` or a timer of 0, has its turn as well.
        self.page.wait_for_timeout(20)


@contextmanager
def watching(browser: Browser, **options: Any) -> Iterator[Watched]:
    """Open a page that is watched.

    Args:
        browser: Of `launched`.
        options: Of the browser's context.
    """
    with browser.new_context(service_workers="block", **options) as context:
        watched = Watched(page=context.new_page())

        def note(dialog: Any) -> None:
            watched.dialogs.append(dialog.message)
            dialog.dismiss()

        def note_script(event: dict[str, Any]) -> None:
            # Playwright's own scripts have no address.
            if event["url"]:
                watched.scripts.append(f"a script in {event['url']}")

        watched.page.on("dialog", note)
        watched.page.on("popup", lambda page: watched.asked.append(page.url))
        inside = context.new_cdp_session(watched.page)
        inside.on("Debugger.scriptParsed", note_script)
        inside.send("Debugger.enable")
        inside.send("Debugger.setSkipAllPauses", {"skip": True})
        yield watched
