"""HTML from outside into plain text."""

import json
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from digest.domain.errors import RefusedError
from digest.ingest.markup import to_line, to_plain


def test_gives_one_paragraph_per_block_and_captions_apart() -> None:
    plain = to_plain(
        "<h2>One</h2><p>Two <b>bold</b> words<br>Three</p><ul><li>Four</ul>"
        "<figure><img src='/i.jpg' alt='A &amp; B'><figcaption>Photo: C</figcaption>"
        "</figure>Five",
        base="https://a.example/x/",
    )

    assert plain.paragraphs == ("One", "Two bold words", "Three", "Four", "Five")
    assert plain.captions == ("Photo: C",)
    assert plain.picture is not None
    assert (plain.picture.url, plain.picture.alt) == (
        "https://a.example/i.jpg",
        "A & B",
    )


def test_decodes_entities_once() -> None:
    assert to_line("AT&amp;T &amp;amp; &#8220;x&#8221;") == "AT&T &amp; “x”"


def test_keeps_a_lone_smaller_than_sign() -> None:
    assert to_line("1 < 2 and 3 &lt; 4") == "1 < 2 and 3 < 4"


@pytest.mark.parametrize(
    "tag", ["script", "style", "noscript", "template", "iframe", "textarea", "svg"]
)
def test_drops_what_is_no_text_with_its_content(tag: str) -> None:
    assert to_line(f"before<{tag}>inside</{tag}> after") == "before after"


@pytest.mark.parametrize(
    "html",
    [
        "<img src='javascript:alert(1)'>",
        "<img src='data:image/gif;base64,x'>",
        "<img src='https://a.example/p.gif' width=1 height=1>",
        "<img alt=x>",
        "<script><img src='https://a.example/p.gif'></script>",
        "text",
    ],
)
def test_takes_no_picture_that_is_none(html: str) -> None:
    assert to_plain(html).picture is None


def test_takes_the_source_of_a_picture_that_loads_late() -> None:
    html = "<img src='data:x' data-src='https://a.example/i.jpg'>"

    picture = to_plain(html).picture

    assert picture is not None
    assert picture.url == "https://a.example/i.jpg"


def test_no_vector_leaves_markup(shared: Path) -> None:
    path = shared / "corpora" / "dompurify" / "vectors.json"
    vectors = [v["payload"] for v in json.loads(path.read_text(encoding="utf-8"))]

    texts = [" ".join(to_plain(vector).paragraphs) for vector in vectors]
    twice = [to_line(text) for text in texts]

    # What looks like a tag was written with entities: it is text, and stays inert.
    leaks = [
        (vector, text)
        for vector, text, again in zip(vectors, texts, twice, strict=True)
        if text != again and "&lt;" not in vector and "&#" not in vector
    ]
    assert leaks == []


@pytest.mark.parametrize(
    "unit", ["<p>", "<b", "<!--", "&#x", "<img ", "</p>", "<a href='"]
)
def test_hostile_markup_takes_no_time(unit: str) -> None:
    html = unit * (60_000 // len(unit))
    start = time.process_time()

    with suppress(RefusedError):
        to_plain(html)

    assert time.process_time() - start < 3


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_reads_anything(html: str) -> None:
    plain = to_plain(html)

    assert all(plain.paragraphs)


@pytest.mark.parametrize(
    "piece",
    ["<div>", "<b><p>", "<div></x>", "<DIV/>", "<div><table></div>", "&"],
)
def test_what_would_take_minutes_is_refused_at_once(piece: str) -> None:
    bomb = piece * (1_900_000 // len(piece))

    started = time.process_time()
    with pytest.raises(RefusedError):
        to_plain(bomb)

    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "piece", ["<p>a", "<br>", "<li>a", "<p><b>a</b></p>", "&#1575;"]
)
def test_what_is_only_long_is_read(piece: str) -> None:
    assert to_plain(piece * 10_000).captions == ()
