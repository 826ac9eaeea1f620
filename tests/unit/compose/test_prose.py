"""The editor's Markdown: what it may say, in HTML and in plain text."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from digest.compose.prose import Prose, Reader
from tests.builders import SITE


def read(text: str, direction: str = "ltr") -> Prose:
    return Reader(direction).paragraphs(text)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Plain & <b>simple</b>", "<p>Plain &amp; &lt;b&gt;simple&lt;/b&gt;</p>"),
        ("*one* and **two**", "<p><em>one</em> and <strong>two</strong></p>"),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("one\n\ntwo", "<p>one</p>\n<p>two</p>"),
        ("[a](https://a.test/)", '<p><a href="https://a.test/">a</a></p>'),
        ("[a](mailto:a@b.test)", '<p><a href="mailto:a@b.test">a</a></p>'),
        ("* one\n* two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>"),
        (
            "3. one\n4. two",
            '<ol start="3">\n<li>one</li>\n<li>two</li>\n</ol>',
        ),
    ],
)
def test_knows_a_little_markdown(text: str, html: str) -> None:
    assert read(text).html == html


@pytest.mark.parametrize(
    "text",
    [
        "# No heading",
        "> no quotation",
        "`no code`",
        "&copy; no entity",
        "<https://no.test/auto>",
        "[a](javascript:alert(1))",
        "[a](data:text/html,x)",
        "[a](/relative)",
        "[a](https://user@host.test/)",
        "[a](mailto:nobody)",
    ],
)
def test_everything_else_stays_text(text: str) -> None:
    found = read(text)

    assert re.findall("<[^p/]", found.html) == []
    assert found.plain() == text


def test_a_picture_is_but_a_link() -> None:
    assert "<img" not in read("![a](https://a.test/a.png)").html


def test_links_are_numbered_through_the_letter() -> None:
    words = Reader("ltr")

    first = words.paragraphs("See [one](https://a.test/1) and [two](https://a.test/2).")
    second = words.line("And [three](mailto:c@a.test)")

    assert first.plain() == (
        "See one [1] and two [2].\n\n[1] https://a.test/1\n[2] https://a.test/2"
    )
    assert second.plain(before="Why:") == "Why: And three [3]\n\n[3] c@a.test"


def test_plain_text_keeps_emphasis_breaks_and_lists() -> None:
    text = "*one* **two**\nthree\n\n* a\n* b\n  1. c\n  2. d\n\nend"

    assert read(text).plain() == (
        "_one_ *two*\nthree\n\n* a\n* b\n  1. c\n  2. d\n\nend"
    )


def test_plain_text_is_wrapped_and_items_hang() -> None:
    lines = read("* " + "word " * 30).plain(40).splitlines()

    assert max(map(len, lines)) <= 40
    assert all(line.startswith("  word") for line in lines[1:])


def test_no_words_are_nothing() -> None:
    assert not read(" \n ")
    assert read("").plain() == ""


def test_a_paragraph_of_the_other_direction_says_so() -> None:
    assert read("خبر من القاهرة").html == '<p dir="rtl">خبر من القاهرة</p>'
    assert read("خبر من القاهرة", "rtl").html == "<p>خبر من القاهرة</p>"
    assert read("* خبر").html == '<ul>\n<li dir="rtl">خبر</li>\n</ul>'


def test_elements_are_dressed_in_the_layouts_attributes() -> None:
    prose = read("[a](https://a.test/?p=<p) **b**")

    dressed = prose.dressed(p='class="ink"', a='style="color:#000000"')

    assert dressed == (
        '<p class="ink"><a style="color:#000000" href="https://a.test/?p=%3Cp">a</a> '
        "<strong>b</strong></p>"
    )


def test_the_address_of_a_link_may_be_tagged() -> None:
    words = Reader("ltr", tag=lambda url: f"{url}?utm_source=x&utm_medium=y")

    prose = words.line("[a](https://a.test/)")

    assert 'href="https://a.test/?utm_source=x&amp;utm_medium=y"' in prose.html
    assert prose.plain().endswith("[1] https://a.test/?utm_source=x&utm_medium=y")


def test_counts_words() -> None:
    assert read("one *two*\n\n* three").word_count == 3


@given(st.text())
def test_reads_anything_and_lets_no_other_element_through(text: str) -> None:
    html = read(text).html

    names = set(re.findall(r"<(\w+)", html))
    assert names <= {"p", "br", "em", "strong", "a", "ul", "ol", "li"}
    assert str(SITE.base_url) not in html


def test_hostile_strings_run_nothing(shared: Path) -> None:
    strings = json.loads((shared / "corpora/blns/blns.json").read_text())
    vectors = json.loads((shared / "corpora/dompurify/vectors.json").read_text())
    strings += [v["payload"] if isinstance(v, dict) else str(v) for v in vectors]

    found = [read(text).html for text in strings]

    tags = {tag for html in found for tag in re.findall(r"<(\w+)[^>]*?>", html)}
    attributes = {a for html in found for a in re.findall(r"<[^>]*?\s([\w-]+)=", html)}
    assert tags <= {"p", "br", "em", "strong", "a", "ul", "ol", "li"}
    assert attributes <= {"href", "dir", "start"}
