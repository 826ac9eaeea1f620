"""The masthead's picture and the footer's words, as a theme gives them."""

from dataclasses import replace
from typing import Any

from digest.compose.page import Page
from digest.compose.render import render
from digest.templating import Letter, Templates
from tests.builders import SITE
from tests.weeks import english_week

LOGO = {
    "logo_url": "https://pictures.example.test/logo.png",
    "logo_width": 240,
    "logo_height": 48,
}


def themed(**values: Any) -> Letter:
    edition, newsletter, stories = english_week()
    theme = {**newsletter.theme, **values}
    changed = replace(newsletter, theme=theme)
    return render(edition, changed, stories, templates=Templates(), site=SITE)


def test_the_wordmark_is_live_text_where_there_is_no_picture() -> None:
    page = Page(themed().html)

    assert "Egyptian Streets" in page.words
    assert not [i for i in page.all("img") if "logo" in i.attributes.get("class", "")]


def test_a_picture_has_its_size_and_the_wordmark_as_its_words() -> None:
    letter = themed(**LOGO)

    (logo,) = [
        image.attributes
        for image in Page(letter.html).all("img")
        if "logo" in image.attributes.get("class", "")
    ]
    assert (logo["width"], logo["height"]) == ("240", "48")
    assert logo["alt"] == "Egyptian Streets"
    assert "EGYPTIAN STREETS" in letter.text


def test_a_twin_shows_in_dark_mode_alone() -> None:
    dark = "https://pictures.example.test/dark.png"

    letter = themed(**LOGO, logo_url_dark=dark, logo_alt="The Streets")

    twin = next(
        image.attributes
        for image in Page(letter.html).all("img")
        if image.attributes["src"] == dark
    )
    assert "display:none" in twin["style"]
    assert twin["alt"] == "The Streets"
    assert ".logo-dark{display:inline-block!important" in letter.html


def test_footer_words_are_sanitised_and_stand_in_both_parts() -> None:
    footer = "Licence: [terms](https://paper.example.test/terms).\n\n<script>x</script>"

    letter = themed(footer=footer)

    assert 'href="https://paper.example.test/terms"' in letter.html
    assert "<script" not in letter.html
    assert "https://paper.example.test/terms" in letter.text


def test_without_footer_words_nothing_is_added() -> None:
    assert themed(footer="").html == themed().html
