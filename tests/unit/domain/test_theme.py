"""Themes: unreadable ones are refused, with a colour that would do."""

from dataclasses import fields

import pytest
from hypothesis import event, given, strategies as st

from digest.domain.errors import RefusedError
from digest.domain.theme import LEAST_CONTRAST, Theme, contrast, read_theme, suggest

LOGO = {
    "logo_url": "https://pictures.example.test/logo.png",
    "logo_width": 240,
    "logo_height": 48,
}
PARTS = ["ink", "muted", "link", "accent", "on_accent", "paper", "canvas", "tint"]
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
        ({"wordmark": "The\nWeek"}, "one line"),
        ({"notice": "x" * 301}, "at most 300"),
        ({"credits": "a\ue000b"}, "one line"),
        ({"footer": "x" * 2001}, "2,000 characters"),
        (LOGO | {"logo_url": "http://a.example/l.png"}, "not an address"),
        (LOGO | {"logo_url": "https://a.example/l.png\n"}, "not an address"),
        (LOGO | {"logo_url": 'https://a.example/"l.png'}, "not an address"),
        (LOGO | {"logo_url": "https://me@a.example/l.png"}, "not an address"),
        (LOGO | {"logo_url_dark": "data:image/png;base64,x"}, "logo_url_dark is not"),
        ({"logo_url_dark": "https://a.example/l.png"}, "Give logo_url too"),
        (LOGO | {"logo_width": 0}, "logo_width of 1 to 536"),
        (LOGO | {"logo_height": 201}, "logo_height of 1 to 200"),
        (LOGO | {"logo_height": "48"}, "a whole number"),
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


def test_a_picture_may_stand_for_the_wordmark() -> None:
    theme = read_theme(LOGO | {"logo_alt": "The Week"})

    assert (theme.logo_width, theme.logo_alt) == (240, "The Week")


def test_joiners_that_arabic_and_persian_words_need_are_kept() -> None:
    word = "\u0645\u06cc\u200c\u062e"  # a joiner that must not join

    assert read_theme({"wordmark": word}).wordmark == word


@pytest.mark.parametrize("field", [f.name for f in fields(Theme)])
def test_every_field_is_checked(field: str) -> None:
    with pytest.raises(RefusedError, match=field):
        read_theme({field: [1]})


@given(
    st.dictionaries(st.sampled_from([*PARTS, *(f"{p}_dark" for p in PARTS)]), colours)
)
def test_what_is_accepted_can_be_read_everywhere(values: dict[str, str]) -> None:
    try:
        theme = read_theme(values)
    except RefusedError as refused:
        event(refused.message.partition(" has")[0])
        return

    for mode in ("", "_dark"):
        for front in ("ink", "muted", "link"):
            for back in ("paper", "canvas", "tint"):
                pair = getattr(theme, front + mode), getattr(theme, back + mode)
                assert contrast(*pair) >= LEAST_CONTRAST
        button = getattr(theme, f"on_accent{mode}"), getattr(theme, f"accent{mode}")
        assert contrast(*button) >= LEAST_CONTRAST


@given(colours, colours)
def test_contrast_is_a_ratio_whichever_way_round(one: str, other: str) -> None:
    assert 1 <= contrast(one, other) <= 21.01
    assert contrast(one, other) == contrast(other, one)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#FFFFFF", 21.0),
        ("#777777", "#FFFFFF", 4.48),
        ("#767676", "#FFFFFF", 4.54),
        ("#1A1A1A", "#FFFFFF", 17.4),
    ],
)
def test_contrast_is_what_others_measure(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)
