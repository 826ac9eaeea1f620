"""The headline of a page, read so that two looks can be compared."""

import pytest
from hypothesis import given, strategies as st

from digest.compose.headline import find_headline

HTML = "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("page", "headline"),
    [
        ("<title>Site</title><h1>Council  meets\n</h1>", "Council meets"),
        ('<meta property="og:title" content="A &amp; B"><h1>C</h1>', "A & B"),
        ("<title> Only this &ndash; Site </title>", "Only this – Site"),
        ("<h1><a href='/'>One</a> two</h1><h1>Three</h1>", "One two"),
        ("<h1></h1><title>Empty h1</title>", "Empty h1"),
        ("<p>No headline</p>", ""),
        ("", ""),
    ],
)
def test_finds_what_a_page_calls_itself(page: str, headline: str) -> None:
    assert find_headline(page.encode(), HTML) == headline


def test_reads_the_charset_the_server_names() -> None:
    page = "<h1>Café</h1>".encode("latin-1")

    assert find_headline(page, 'text/html; charset="iso-8859-1"') == "Café"


def test_an_unknown_charset_is_taken_for_utf_8() -> None:
    assert find_headline("<h1>Café</h1>".encode(), "text/html; charset=x") == "Café"


@given(st.binary(max_size=400), st.text(max_size=40))
def test_any_octets_are_read_alike_twice(page: bytes, content_type: str) -> None:
    first = find_headline(page, content_type)

    assert find_headline(page, content_type) == first
    assert len(first) <= 500
