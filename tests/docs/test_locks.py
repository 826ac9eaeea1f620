"""What is installed is pinned by its hashes, and every list pins the same."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LISTS = sorted((ROOT / "requirements").glob("*.txt"))


def pins(path: Path) -> dict[str, str]:
    """Each package with its version."""
    text = path.read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[.*\])?==(\S+)", text, re.MULTILINE))


def names(requirements: list[str]) -> set[str]:
    """The packages that requirements name."""
    found = (re.match(r"[A-Za-z0-9-]+", requirement) for requirement in requirements)
    return {match[0] for match in found if match}


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_list_pins_what_the_developers_have(path: Path) -> None:
    assert pins(path).items() <= pins(ROOT / "requirements" / "dev.txt").items()


def test_what_builds_the_package_is_pinned() -> None:
    wanted = names(PROJECT["build-system"]["requires"])

    assert wanted <= pins(ROOT / "requirements" / "build.txt").keys()


def test_what_postgresql_needs_is_pinned() -> None:
    wanted = names(PROJECT["project"]["optional-dependencies"]["postgres"])

    assert wanted <= pins(ROOT / "requirements" / "postgres.txt").keys()
