"""docs/letter.md names everything a layout is given and a theme may say."""

from dataclasses import fields
from pathlib import Path

import pytest

from digest.compose.render import context_of
from digest.compose.view import edition_view
from digest.domain.theme import Theme
from tests.builders import SITE
from tests.weeks import english_week

PAGE = (Path(__file__).parents[2] / "docs" / "letter.md").read_text(encoding="utf-8")
EDITION, NEWSLETTER, STORIES = english_week()
CONTEXT = context_of(edition_view(EDITION, NEWSLETTER, STORIES), NEWSLETTER, SITE)


@pytest.mark.parametrize("name", [*CONTEXT, *CONTEXT["links"], "language"])
def test_every_name_a_layout_is_given_is_explained(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("name", [f.name for f in fields(Theme)])
def test_every_field_of_a_theme_is_explained(name: str) -> None:
    assert f"`{name.removesuffix('_dark')}`" in PAGE
