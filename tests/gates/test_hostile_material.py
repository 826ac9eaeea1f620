"""Hostile strings as stories and as words: they are shown, and nothing of them runs.

Chromium is asked, with scripts allowed: no dialog, no request, no script parsed, in the
letter, the archive's page and the preview.
"""

from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error

from digest import bootstrap
from digest.bootstrap import Service
from digest.send.specimen import READER
from digest.settings import Settings
from tests.conftest import Ran
from tests.e2e.browser import Watched, watching
from tests.e2e.serving import serving
from tests.gates.figures import tell
from tests.gates.hostile import (
    batches,
    editions_of,
    stories_of,
    strings_of,
    wordings,
    words_of,
)

_TOGETHER = 20  # letters on one page, each in a frame
_READ = """
() => [...document.querySelectorAll('h1, h2, h3, p')].map(e => e.textContent)
"""
_ALIVE = """
() => [...document.querySelectorAll('*')].flatMap(e => [...e.attributes]
  .filter(a => /^on/i.test(a.name) || (/href|src|action|data/i.test(a.name)
    && /^[\\s\\x00-\\x1f]*(javascript|data|vbscript|file):/i.test(a.value)))
  .map(a => a.name + '=' + a.value))
"""


@pytest.fixture(params=["own", "blns", "dompurify"])
def strings(request: pytest.FixtureRequest) -> list[str]:
    """Each collection: ours, and those beside the checkout."""
    return strings_of(request.param)


@pytest.fixture
def house(cli: Callable[..., Ran], tmp_path: Path) -> Iterator[Service]:
    """A new installation, with the newsletters it ships."""
    assert cli("init").status == 0
    service = bootstrap.open_service(Settings(home=tmp_path / "home"))
    yield service
    service.db.close()


def alive(watched: Watched) -> list[str]:
    """What ran, or would on a click; read before anything of ours runs."""
    try:
        found: list[str] = watched.signs or watched.page.evaluate(_ALIVE)
    except Error as error:
        return [f"it went elsewhere: {error}"]
    return found


def missing(watched: Watched, words: list[str]) -> list[str]:
    """Headlines and standfirsts that the page does not show as they are."""
    shown = {words_of(text) for text in watched.page.evaluate(_READ)}
    return [f"not shown: {text}" for text in words if text not in shown]


def test_what_is_alive_is_noticed(browser: Browser) -> None:
    """The gate would see it: a script, an event, a frame's, a request, a link."""
    with watching(browser) as watched:
        watched.show("<!doctype html><p>words")

        assert alive(watched) == []

    for html in (
        "<script>1</script>",
        "<img src=x onerror='1'>",
        "<body onload='1'>",
        f'<iframe srcdoc="{escape("<svg onload=1>")}"></iframe>',
        "<p style='background:url(https://elsewhere.example.test/)'>words",
        "<a href=' javascript:1'>words</a>",
        "<iframe src='javascript:1'></iframe>",
        "<meta http-equiv=refresh content='0;url=https://elsewhere.example.test/'>",
    ):
        with watching(browser) as watched:
            watched.show(f"<!doctype html>{html}")

            assert alive(watched), html


def test_as_stories_they_are_shown_and_nothing_runs(
    browser: Browser,
    house: Service,
    cli: Callable[..., Ran],
    strings: list[str],
    tmp_path: Path,
) -> None:
    made = editions_of(house, cli, tmp_path, strings)

    found: list[str] = []
    shown = 0
    # Without the pages' policy: the markup alone has to be safe.
    with serving(house) as site, watching(browser, bypass_csp=True) as watched:
        for edition_id in made:
            letter, words, path = stories_of(house, edition_id)
            out = tmp_path / "preview.html"
            assert (
                cli("editions", "preview", str(edition_id), "-o", str(out)).status == 0
            )
            for show, what in (
                (watched.show, letter.html),
                (watched.show, out.read_text("utf-8")),
                (watched.visit, site + path),
            ):
                show(what)
                found += alive(watched) + missing(watched, words)
                shown += len(words)
                watched.forget()

    tell(
        f"hostile strings: {len(strings)} in {shown} places, {len(found)} signs of life"
    )
    assert found == []


def test_as_an_editors_words_they_run_nothing(
    browser: Browser, strings: list[str]
) -> None:
    found: list[str] = []
    with watching(browser) as watched:
        for some in batches(strings, _TOGETHER):
            letters = [wordings(text) for text in some]
            frames = "".join(
                f'<iframe srcdoc="{escape(letter.html)}"></iframe>'
                for letter in letters
            )
            own = {url for letter in letters for url in letter.pictures}
            watched.show(f"<!doctype html>{frames}", pictures=own)
            found += alive(watched)
            for frame in watched.page.frames[1:]:
                found += frame.evaluate(_ALIVE)
            watched.forget()

    assert found == []


def test_they_add_no_header_and_fill_no_slot(strings: list[str]) -> None:
    usual = wordings("The town council meets")

    for text in strings:
        letter = wordings(text)

        assert letter.parsed.keys() == usual.parsed.keys(), text
        assert letter.html.count(READER) == usual.html.count(READER), text
        assert letter.text.count(READER) == usual.text.count(READER), text
