"""Mixed directions: a run keeps its own, a line starts on the letter's side."""

import pytest
from hypothesis import given, strategies as st

from digest.domain.bidi import (
    anchored,
    contained,
    direction_of,
    isolated,
    language_direction,
)

LRI, RLI, PDI = "\u2066", "\u2067", "\u2069"
RLE, RLO, PDF = "\u202b", "\u202e", "\u202c"
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


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain words", "plain words"),
        (f"photo{RLO}gnp.exe", "photognp.exe"),
        (f"a{RLO}b{PDF}c", "abc"),
        (f"{RLI}رفح", f"{RLI}رفح{PDI}"),
        (f"{RLI}رفح{PDI}", f"{RLI}رفح{PDI}"),
        (f"{RLE}{LRI}a", f"{RLE}{LRI}a{PDI}{PDF}"),
        (f"{LRI}{RLE}a{PDI}b{PDF}", f"{LRI}{RLE}a{PDI}b"),
        (f"{LRI}a{PDF}b{PDI}", f"{LRI}ab{PDI}"),
        (f"a{PDI}b{PDF}c", "abc"),
        (f"{RLI}one\ntwo{PDI}", f"{RLI}one{PDI}\ntwo"),
        ("\u200fرفح\u200f", "\u200fرفح\u200f"),
    ],
)
def test_what_turns_the_direction_ends_with_its_line(text: str, written: str) -> None:
    assert contained(text) == written


@given(st.text(alphabet="a\n\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
def test_what_is_contained_stays_as_it_is(text: str) -> None:
    once = contained(text)

    assert contained(once) == once
    assert not {"\u202d", "\u202e"} & set(once)
    assert sum(once.count(c) for c in "\u2066\u2067\u2068") == once.count(PDI)


def test_containing_takes_no_longer_than_reading() -> None:
    assert len(contained((RLE * 100_000) + (PDI * 100_000))) == 200_000
