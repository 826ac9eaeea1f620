"""Text from outside, made safe to print."""

import unicodedata

import pytest
from hypothesis import given, strategies as st

from digest.domain.plaintext import clean_line, clean_lines, fold
from digest.domain.slots import Slot, marker


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=60))
def test_leaves_one_line_of_printable_characters(text: str) -> None:
    line = clean_line(text)

    assert not {unicodedata.category(c) for c in line} & {"Cc", "Cs", "Co", "Cn"}
    assert not set(line) & set("\u202a\u202b\u202c\u202d\u202e\u2028\u2029\ufeff")
    assert line == line.strip()
    assert clean_line(line) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  two \t words\r\n", "two words"),
        ("a\0b\x1bc\x7f", "abc"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("cafe\u0301", "café"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("\u2068شمس\u2069 name", "\u2068شمس\u2069 name"),
        ("\u2067open", "open"),
        ("\u2069closed first\u2067", "closed first"),
        ("can\u00ad\u200bnot", "cannot"),
        ("می\u200cرود", "می\u200cرود"),
        ("👩\u200d💻", "👩\u200d💻"),
    ],
)
def test_cleans(text: str, line: str) -> None:
    assert clean_line(text) == line


def test_no_story_can_forge_a_slot() -> None:
    assert clean_line(f"x{marker(Slot.ADDRESS)}y") == "xaddressy"


def test_cuts_towers_of_marks() -> None:
    tower = "z" + "\u0335" * 40

    assert len(clean_line(tower)) <= 7


def test_keeps_empty_lines_of_a_text() -> None:
    assert clean_lines("a\r\n\r\nb\rc\u2028d") == ["a", "", "b", "c", "d"]


def test_folds_names_to_their_words() -> None:
    assert fold("Arts & CULTURE!") == fold("arts culture")
