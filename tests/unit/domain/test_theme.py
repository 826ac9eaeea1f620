"""Themes: unreadable ones are refused, with a colour that would do."""

import pytest
from hypothesis import given, strategies as st

from digest.domain.errors import RefusedError
from digest.domain.theme import LEAST_CONTRAST, contrast, read_theme, suggest

colours = st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06X}")


def test_the_default_theme_is_valid() -> None:
    assert read_theme({}).accent == "#B3261E"


def test_keeps_what_it_is_given() -> None:
    theme = read_theme({"accent": "#004488", "body_font": "arial", "radius": 0})

    assert (theme.accent, theme.radius) == ("#004488", 0)
    assert theme.body_stack.startswith("Arial")


def test_arabic_letters_get_fonts_that_have_arabic() -> None:
    assert "Tahoma" in read_theme({}, direction="rtl").heading_stack


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"colour": "#000000"}, "no 'colour'"),
        ({"ink": 3}, "must be text"),
        ({"radius": True}, "a whole number"),
        ({"radius": 99}, "0 to 24"),
        ({"ink": "black"}, "not a colour"),
        ({"ink": "#12345g"}, "not a colour"),
        ({"rule_dark": "#12345"}, "not a colour"),
        ({"heading_font": "comic"}, "is unknown"),
        ({"digits": "roman"}, "is unknown"),
    ],
)
def test_refuses_what_it_cannot_use(values: dict[str, object], said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        read_theme(values)


def test_names_the_pair_that_cannot_be_read_and_a_better_colour() -> None:
    with pytest.raises(RefusedError) as refused:
        read_theme({"muted": "#999999"})

    assert "muted on paper" in refused.value.message
    better = refused.value.mend.split()[2]
    assert contrast(better, "#FFFFFF") >= LEAST_CONTRAST


def test_checks_the_dark_twins_too() -> None:
    with pytest.raises(RefusedError, match="link_dark on paper_dark"):
        read_theme({"link_dark": "#550000"})


@given(colours, colours)
def test_every_suggestion_can_be_read(colour: str, background: str) -> None:
    assert contrast(suggest(colour, background), background) >= LEAST_CONTRAST
