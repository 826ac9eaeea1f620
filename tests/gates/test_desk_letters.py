"""The desk's letters before other people's tools, and drawn for people to look at."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from digest.bootstrap import Service
from tests.gates import desk
from tests.gates.conftest import HERE
from tests.gates.figures import tell
from tests.gates.test_accessibility import AXE, violations
from tests.gates.test_looks import fits, take
from tests.released import release_week
from tests.weeks import english_week
from tests.weeks_arabic import arabic_week

KINDS = ["ask", "soon", "due", "last", "alert", "sent", "day"]
SCREENS = {375: 800, 700: 900}
Node = Callable[..., str]


@pytest.fixture
def letters(service: Service) -> dict[str, str]:
    """Each letter to the desk of an English and of an Arabic newsletter."""
    slugs = [release_week(service.db, w) for w in (english_week(), arabic_week())]
    found: dict[str, str] = {}
    for slug in slugs:
        found |= desk.letters(service, slug)
    return found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of Chromium that gets nothing from anywhere."""
    with browser.new_context() as context:
        opened = context.new_page()
        opened.route("**/*", lambda route: route.abort())
        yield opened


def test_axe_finds_no_violation_and_every_letter_fits(
    page: Page, letters: dict[str, str]
) -> None:
    if not AXE.exists():
        pytest.skip("axe is not there: `make gates` installs it with npm")
    found: list[str] = []
    wide: list[str] = []

    for name, html in letters.items():
        page.set_content(html)
        page.add_script_tag(path=AXE)
        for width, height in SCREENS.items():
            page.set_viewport_size({"width": width, "height": height})
            wide += [f"{name} at {width}"] if not fits(page, width) else []
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                take(page, f"desk/{name}-{width}-{scheme}")
                answer = page.evaluate("axe.run()")
                lines = violations(answer["violations"])
                found += [f"{name} at {width} in {scheme}: {line}" for line in lines]

    tell(f"axe, {len(letters)} letters to the desk: {len(found)} violated")
    assert (found, wide) == ([], [])
    assert sorted(letters) == sorted(f"{k}-{of}" for k in KINDS for of in ("en", "ar"))


def test_html_validate_finds_no_error(
    letters: dict[str, str], tmp_path: Path, node: Node
) -> None:
    folder = tmp_path / "letters"
    folder.mkdir()
    for name, html in letters.items():
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    tool, report = "node_modules/html-validate/bin/html-validate.mjs", tmp_path / "f"
    config = HERE / "html-validate-notices.mjs"

    node(tool, "--config", config, "--formatter", f"json={report}", folder)

    found = [
        f"{Path(file['filePath']).name}:{m['line']}: {m['ruleId']}: {m['message']}"
        for file in json.loads(report.read_text())
        for m in file["messages"]
    ]
    tell(f"html-validate, {len(letters)} letters to the desk: {len(found)} errors")
    assert found == []
