"""The markup: valid, of a small size, and of what mail programs understand."""

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.gates.conftest import HERE
from tests.gates.figures import tell
from tests.gates.letters import WEEKS, Written, correction, reference, write

Node = Callable[..., str]
MOST_KILOBYTES, MOST_KILOBYTES_OF_25 = 40, 60


def test_html_validate_finds_no_error(
    letter: Written, edition: str, tmp_path: Path, node: Node
) -> None:
    path = tmp_path / "letter.html"
    path.write_text(letter.html, encoding="utf-8")

    tool = "node_modules/html-validate/bin/html-validate.mjs"
    said = node(
        tool, "--config", HERE / "html-validate.mjs", "--formatter", "json", path
    )

    found = [
        f"{message['line']}: {message['ruleId']}: {message['message']}"
        for file in json.loads(said)
        for message in file["messages"]
    ]
    tell(f"html-validate, {edition}: {len(found)} errors and warnings")
    assert found == []


def test_what_mail_programs_lack_has_a_fallback(
    samples: dict[str, Written], tmp_path: Path, node: Node
) -> None:
    """A ratchet: what is new needs a fallback, what is gone leaves the list."""
    letters = samples | {language: reference(language) for language in WEEKS}
    letters |= {f"wrong-{language}": correction(language) for language in WEEKS}
    paths = [tmp_path / f"{name}.html" for name in letters]
    for path in paths:
        path.write_text(letters[path.stem].html, encoding="utf-8")
    listed = tomllib.loads((HERE / "without_support.toml").read_text("utf-8"))

    found: dict[str, list[str]] = json.loads(node("caniemail.mjs", *paths))

    tell(f"caniemail: {len(found)} features that a program lacks, each with a fallback")
    assert found == {name: entry["clients"] for name, entry in listed.items()}
    assert [name for name, entry in listed.items() if not entry["fallback"]] == []


def test_its_size_is_told(letter: Written, edition: str) -> None:
    kilobytes = len(letter.html.encode()) / 1024

    tell(
        f"size, {edition}: {kilobytes:.1f} KB of HTML, "
        f"{len(letter.message) / 1024:.1f} KB on the wire"
    )
    assert kilobytes <= MOST_KILOBYTES


@pytest.mark.parametrize("language", WEEKS)
def test_twenty_five_stories_are_no_long_letter(language: str) -> None:
    edition, newsletter, stories = WEEKS[language]()
    many = [
        replace(stories[i % len(stories)], position=i + 1, article_id=i + 1)
        for i in range(25)
    ]

    kilobytes = len(write(edition, newsletter, many).html.encode()) / 1024

    tell(f"size, {language}, 25 stories: {kilobytes:.1f} KB of HTML")
    assert kilobytes <= MOST_KILOBYTES_OF_25
