"""The documents keep up with the code: commands, settings, targets and links."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.main import get_command

from digest.cli.app import make_app
from digest.settings import CONFIG_VARIABLE, Settings, setting_names, variable_of

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def commands(command: object, path: str) -> Iterator[str]:
    """Walk the command tree: the path of each command that does something."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path
        return
    for name, child in inner.items():
        yield from commands(child, f"{path} {name}")


def settings(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Walk the settings: the dotted name of each."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from settings(inner, f"{path}{name}.")
        else:
            yield f"{path}{name}"


@pytest.mark.parametrize("command", [*commands(get_command(make_app()), "digest")])
def test_every_command_is_in_the_operations_page(command: str) -> None:
    assert re.search(rf"{re.escape(command)}(?![\w-])", OPERATIONS)


@pytest.mark.parametrize("name", [*settings(Settings)])
def test_every_setting_is_in_the_operations_page(name: str) -> None:
    assert f"`{name}`" in OPERATIONS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_variable_that_is_named_is_a_setting(page: Path) -> None:
    known = {variable_of(name) for name in setting_names()}
    known |= {f"{variable}_FILE" for variable in known} | {CONFIG_VARIABLE}

    named = set(re.findall(r"\bDIGEST_(?!TEST_)[A-Z_]+[A-Z]", page.read_text("utf-8")))

    assert named <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#]+)", page.read_text("utf-8"))

    missing = [target for target in targets if not (page.parent / target).exists()]

    assert missing == []


def targets(text: str) -> set[str]:
    """Find the targets of `make` that a page names as code; prose may say make."""
    blocks = re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`make [^`]+`", text)
    lines = [line for code in (*blocks, *spans) for line in code.splitlines()]
    named = (re.match(r"`?make ([a-z-]+)", line) for line in lines)
    return {found[1] for found in named if found}


def test_only_code_names_targets() -> None:
    page = "`make lint`,\nmake their\n\n```sh\nmake gates   # all\n```\n"

    assert targets(page) == {"lint", "gates"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_targets_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    missing = {
        target
        for target in targets(page.read_text("utf-8"))
        if f"\n{target}:" not in makefile
    }

    assert missing == set()


def test_every_command_says_what_it_does() -> None:
    def helps(command: object, path: str) -> Iterator[tuple[str, str | None]]:
        for name, child in getattr(command, "commands", {}).items():
            yield f"{path} {name}", child.help
            yield from helps(child, f"{path} {name}")

    silent = [
        path for path, text in helps(get_command(make_app()), "digest") if not text
    ]

    assert silent == []
