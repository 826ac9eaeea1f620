"""The sponsor file: four texts, or a plain refusal."""

import pytest

from digest.compose.words_file import read_sponsor
from digest.domain.errors import RefusedError
from tests.weeks import SPONSOR

GOOD = f"""
name = "{SPONSOR.name}"
title = "{SPONSOR.title}"
text = "{SPONSOR.text}"
url = "{SPONSOR.url}"
"""


def test_reads_the_four_fields() -> None:
    assert read_sponsor(GOOD) == SPONSOR


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "not valid TOML"),
        ('name = "Nile Reads"', "field: title"),
        (GOOD + 'colour = "red"', "field: colour"),
        (GOOD.replace(f'"{SPONSOR.name}"', "3"), "field: name"),
        (GOOD.replace(SPONSOR.name, "  "), "field: name"),
        (GOOD.replace("https://", "http://"), "not an https address"),
        (GOOD.replace("https://", "javascript:"), "not an https address"),
    ],
)
def test_says_what_is_wrong_with_it(text: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        read_sponsor(text)
