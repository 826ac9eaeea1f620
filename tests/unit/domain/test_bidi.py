"""Mixed directions: a run keeps its own, a line starts on the letter's side."""

import pytest

from digest.domain.bidi import anchored, direction_of, isolated, language_direction

LRI, RLI, PDI = "\u2066", "\u2067", "\u2069"
LRM, RLM = "\u200e", "\u200f"


@pytest.mark.parametrize(
    ("text", "base", "direction"),
    [
        ("(رفح)", "ltr", "rtl"),
        ("Rafah رفح", "ltr", "ltr"),
        ("BBC: رفح", "rtl", "rtl"),
        ("The National", "rtl", "ltr"),
        ("12", "ltr", "ltr"),
        ("١٢", "rtl", "rtl"),
        ("", "rtl", "rtl"),
        ("+20 2 555 0100", "rtl", "ltr"),
        ("12-05-2024", "rtl", "ltr"),
    ],
)
def test_tells_the_direction_of_a_text(text: str, base: str, direction: str) -> None:
    assert direction_of(text, base) == direction


@pytest.mark.parametrize(
    ("language", "direction"),
    [("en", "ltr"), ("ar", "rtl"), ("ar-EG", "rtl"), ("fa", "rtl"), ("de", "ltr")],
)
def test_tells_the_direction_of_a_language(language: str, direction: str) -> None:
    assert language_direction(language) == direction


@pytest.mark.parametrize(
    ("text", "base", "written"),
    [
        ("The National", "rtl", f"{LRI}The National{PDI}"),
        ("رفح", "ltr", f"{RLI}رفح{PDI}"),
        ("رفح", "rtl", "رفح"),
        ("BBC عربي", "rtl", "BBC عربي"),
    ],
)
def test_encloses_only_what_runs_against_its_surroundings(
    text: str, base: str, written: str
) -> None:
    assert isolated(text, base) == written


@pytest.mark.parametrize(
    ("line", "base", "written"),
    [
        ("BBC: ما حدث", "rtl", f"{RLM}BBC: ما حدث"),
        (f"{LRI}BBC{PDI}: ما حدث", "rtl", f"{LRI}BBC{PDI}: ما حدث"),
        ("https://news.example/", "rtl", "https://news.example/"),
        ("١٢ مايو", "rtl", "١٢ مايو"),
        ("-----", "rtl", f"{RLM}-----"),
        ("-----", "ltr", "-----"),
        (" ", "rtl", " "),
        (f"{LRI}BBC{PDI}", "rtl", f"{RLM}{LRI}BBC{PDI}"),
        ("رفح: what happened", "ltr", f"{LRM}رفح: what happened"),
        (f"{PDI}BBC: ما حدث", "rtl", f"{RLM}{PDI}BBC: ما حدث"),
    ],
)
def test_a_line_starts_on_the_side_of_its_letter(
    line: str, base: str, written: str
) -> None:
    assert anchored(f"\n{line}\n", base) == f"\n{written}\n"
