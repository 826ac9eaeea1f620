"""One story's HTML page, read in a process of its own."""

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from digest.domain.articles import Draft
from digest.domain.errors import RefusedError
from digest.ingest import parser_process
from digest.ingest.extraction import extract
from digest.ingest.normalise import normalise
from digest.ingest.pages import interpret, read_page

CAIRO = ZoneInfo("Africa/Cairo")
BODY = "".join(
    f"<p>Paragraph {n} tells of the harbour and of its lights in so many words that it"
    " is taken for a part of the story and not for a caption.</p>"
    for n in range(4)
)

LINKED = """<script type="application/ld+json">[{"@type": ["Article"],
"datePublished": "2024-05-11T22:00:00Z", "author": ["A B"], "image": ["/i.jpg"],
"articleSection": ["News"], "publisher": {"name": "P"}}]</script>"""
BROKEN_LINKED = """<script type="application/ld+json">{"@graph": 7}</script>
<script type="application/ld+json">{broken</script>
<meta name="datePublished" content="2024-05-12T08:00:00">"""
COLLECTION = '{"@type": "CollectionPage"}'


def test_reads_a_story(material: Path) -> None:
    html = (material / "page.html").read_text(encoding="utf-8")

    draft = normalise(
        read_page(html, zone=CAIRO, url="https://x.example/?utm_source=a")
    )

    assert draft.title == "A Museum for Nets"
    assert draft.url == "https://delta-observer.example/2024/05/08/nets/"
    assert draft.published_on == date(2024, 5, 8)
    assert draft.author == "Hoda Selim"
    assert draft.source == "The Delta Observer"
    assert draft.language == "en-GB"
    assert draft.categories == ("Arts & Culture",)
    assert draft.image.url == "https://delta-observer.example/uploads/nets.jpg"
    assert draft.image.credit == "Edku Town Archive"
    assert "children come after school" in draft.standfirst
    assert [p.split()[0] for p in draft.paragraphs] == ["A", "Mahmoud", "The"]


def read(html: str) -> Draft:
    """Read a page in this process, which is faster."""
    return interpret(extract(html.encode(), None), zone=CAIRO)


def test_reads_a_page_that_says_little_about_itself() -> None:
    html = f"<html><title>Lights – Paper</title><body><p>12 May 2024</p>{BODY}</body>"

    draft = read(html)

    assert (draft.title, draft.url) == ("Lights – Paper", None)
    assert draft.published_on == date(2024, 5, 12)
    assert len(draft.paragraphs) == 4


@pytest.mark.parametrize(
    "head",
    [
        '<meta itemprop="datePublished" content="12 May 2024">',
        '<meta property="article:published_time" content="2024-05-12">',
        LINKED,
        BROKEN_LINKED,
    ],
)
def test_finds_the_date_wherever_it_stands(head: str) -> None:
    html = f"<html><head>{head}</head><body><h1>Lights</h1>{BODY}</body></html>"

    assert read(html).published_on == date(2024, 5, 12)


def test_drops_paragraphs_that_a_page_repeats() -> None:
    call = "<p>This words here repeat themselves on the page for no good reason.</p>"
    html = f"<html><body><h1>Lights</h1>{call}{BODY}{call}</body></html>"

    draft = read(html)

    assert not [p for p in draft.paragraphs if "repeat themselves" in p]


@pytest.mark.parametrize(
    "html",
    [
        f"<article><h2><a href='/1'>One</a></h2>{BODY}</article>" * 6,
        f"<script type='application/ld+json'>{COLLECTION}</script><h1>News</h1>{BODY}",
    ],
)
def test_refuses_a_page_that_lists_stories(html: str) -> None:
    with pytest.raises(RefusedError, match="lists stories"):
        read(html)


@pytest.mark.parametrize(
    "html", ["<html><body><h1>Log in</h1></body></html>", "<p></p>", "<html></html>"]
)
def test_refuses_a_page_without_a_story(html: str) -> None:
    with pytest.raises(RefusedError, match="No story was found"):
        read(html)


def test_refuses_a_page_that_breaks_the_parser(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parser_process, "MEGABYTES", 1)

    with pytest.raises(RefusedError, match="time and memory"):
        read_page(f"<html><body>{BODY}</body></html>", zone=CAIRO)


def test_extraction_takes_the_first_of_each_meta_name() -> None:
    page = (
        '<html lang="ar"><head><meta property="og:title" content="One">'
        '<meta property="og:title" content="Two"></head><body><h1>H</h1></body></html>'
    )

    found = extract(page.encode(), None)

    assert (found["meta"]["og:title"], found["language"]) == ("One", "ar")
    assert found["headlines"] == ["H"]
