"""Every public page before other people's tools, and drawn for people to look at."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from tests.gates.conftest import HERE
from tests.gates.figures import tell
from tests.gates.site import PublicSite, opened, public_site, show
from tests.gates.test_accessibility import AXE, violations
from tests.gates.test_looks import fits, take

SCREENS = {375: 800, 1280: 900}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
MOST_KILOBYTES = 30
# What it finds right is not gathered, which takes most of its time.
RUN_AXE = "axe.run({resultTypes: ['violations']}).then(found => found.violations)"
MOST_OF_THE_SHEET = 12

Node = Callable[..., str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicSite]:
    """The pages of an installation with an English and an Arabic newsletter."""
    with public_site(tmp_path_factory.mktemp("site")) as found:
        yield found


@pytest.fixture(scope="module")
def page(browser: Browser, site: PublicSite) -> Iterator[Page]:
    """A page of Chromium that the site answers."""
    with opened(browser, site) as found:
        yield found


def test_axe_finds_no_violation_on_any_page(page: Page, site: PublicSite) -> None:
    if not AXE.exists():
        pytest.skip("axe is not there: `make gates` installs it with npm")
    found: list[str] = []
    runs = 0

    for name in site.pages:
        show(page, site, name)
        page.add_script_tag(path=AXE)
        for width, height in SCREENS.items():
            for scheme in SCHEMES:
                page.set_viewport_size({"width": width, "height": height})
                page.emulate_media(color_scheme=scheme)
                lines = violations(page.evaluate(RUN_AXE))
                found += [f"{name} at {width} in {scheme}: {line}" for line in lines]
                runs += 1

    tell(f"axe, {len(site.pages)} public pages, {runs} runs: {len(found)} violated")
    assert found == []


def test_every_page_fits_every_screen_and_is_drawn(
    page: Page, site: PublicSite
) -> None:
    wide: list[str] = []

    for name in site.pages:
        show(page, site, name)
        for width, height in {320: 640, **SCREENS}.items():
            page.set_viewport_size({"width": width, "height": height})
            if not fits(page, width):
                wide.append(f"{name} at {width}")
        _draw(page, name)

    assert wide == []


def _draw(page: Page, name: str) -> None:
    shown: list[tuple[int, Scheme]] = [(375, "light"), (375, "dark"), (1280, "light")]
    for width, scheme in shown:
        page.set_viewport_size({"width": width, "height": SCREENS[width]})
        page.emulate_media(color_scheme=scheme)
        take(page, f"site/{name}-{width}-{scheme}")


def test_html_validate_finds_no_error_on_any_page(
    site: PublicSite, tmp_path: Path, node: Node
) -> None:
    for name, shown in site.pages.items():
        (tmp_path / f"{name}.html").write_text(shown.html, encoding="utf-8")
    tool = "node_modules/html-validate/bin/html-validate.mjs"
    config, report = HERE / "html-validate-site.mjs", tmp_path / "found.json"

    # Into a file: of a long report a pipe gets the first 64 KiB.
    node(tool, "--config", config, "--formatter", f"json={report}", tmp_path)

    found = [
        f"{Path(file['filePath']).name}:{message['line']}: {message['ruleId']}: "
        f"{message['message']}"
        for file in json.loads(report.read_text())
        for message in file["messages"]
    ]
    tell(f"html-validate, {len(site.pages)} public pages: {len(found)} errors")
    assert found == []


def test_every_page_is_small(site: PublicSite) -> None:
    sizes = {n: len(p.html.encode()) / 1024 for n, p in site.pages.items()}
    sheet = len(site.fetch("/static/site.css")[0]) / 1024

    heaviest = max(sizes, key=lambda name: sizes[name])
    tell(f"public pages: {heaviest} is the heaviest, {sizes[heaviest]:.1f} KB")
    tell(f"public pages: the style sheet has {sheet:.1f} KB")
    assert sizes[heaviest] < MOST_KILOBYTES
    assert sheet < MOST_OF_THE_SHEET


def test_every_page_is_answered_with_the_status_it_shows(site: PublicSite) -> None:
    odd = {
        name: shown.status
        for name, shown in site.pages.items()
        if shown.status != 200 and not name.startswith(str(shown.status))
    }

    assert odd == {
        f"{name}-{language}": status
        for language in ("en", "ar")
        for name, status in {
            "sign-up-mistaken": 422,
            "confirm-expired": 410,
            "my-data-expired": 410,
            "my-data-mistaken": 422,
            "link-mistyped": 404,
            "review-mistaken": 422,
            "review-changed": 409,
            "review-refused": 409,
            "review-expired": 410,
        }.items()
    }


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_sample_and_the_form_are_seen_without_scrolling_on_a_phone(
    page: Page, site: PublicSite, language: str
) -> None:
    show(page, site, f"sign-up-{language}")
    page.set_viewport_size({"width": 375, "height": 667})

    bottoms = {
        selector: box["y"] + box["height"]
        for selector in (".card a", "#address", "form button")
        if (box := page.locator(selector).bounding_box())
    }
    assert bottoms.pop("form button") <= 800
    assert len(bottoms) == 2
    assert max(bottoms.values()) <= 667
