"""RSS, Atom, RDF and JSON feeds."""

import json
import time
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from digest.domain.articles import EXCERPT, Draft
from digest.domain.errors import RefusedError
from digest.ingest import parser_process
from digest.ingest.decoding import decode_xml
from digest.ingest.extraction import parse_feed
from digest.ingest.feeds import Feed, interpret, read_feed, read_json_feed
from digest.ingest.normalise import normalise

CAIRO = ZoneInfo("Africa/Cairo")
HEAD = '<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel>'


def read(body: bytes, *, url: str | None = None) -> Feed:
    """Read a feed in this process, which is faster."""
    document = decode_xml(body).encode("utf-8", errors="replace")
    return interpret(parse_feed(document), zone=CAIRO, url=url)


def read_items(*items: str) -> list[Draft]:
    feed = read(
        f"{HEAD}<title>T</title>{''.join(items)}</channel></rss>".encode(),
        url="https://a.example/feed/",
    )
    return [item.draft for item in feed.items if item.draft]


@pytest.fixture
def wordpress(material: Path) -> Feed:
    body = (material / "feed.xml").read_bytes()
    return read(body, url="https://delta-observer.example/feed/")


def first(feed: Feed) -> Draft:
    draft = feed.items[0].draft
    assert draft is not None
    return draft


def test_reads_a_wordpress_item(wordpress: Feed) -> None:
    draft = first(wordpress)

    assert draft.title == "Harbour Lights “Back On” After Repairs & Tests"
    assert draft.author == "Omar Sabry"
    assert draft.source == wordpress.title == "The Delta Observer"
    assert draft.language == "en-US"
    assert draft.categories == ("Politics", "featured", "Harbour Office")
    assert draft.image.alt == "The mole at night"


def test_dates_are_dates_of_the_newsletters_zone(wordpress: Feed) -> None:
    assert first(wordpress).published_on == date(2024, 5, 12)


def test_normalised_it_has_its_credit_apart_and_no_tail(wordpress: Feed) -> None:
    draft = normalise(first(wordpress))

    assert draft.image.credit == "Delta Port Authority"
    assert draft.image.url == "https://delta-observer.example/uploads/harbour.jpg"
    assert [p[-12:] for p in draft.paragraphs] == ["on Saturday.", "of the mole."]
    assert draft.standfirst.startswith("The harbour of Rosetta")
    assert draft.standfirst.endswith("to run from Monday.")
    assert draft.featured
    assert draft.flags == ("credit-split",)


def test_an_item_with_a_description_only_is_an_excerpt(wordpress: Feed) -> None:
    second = wordpress.items[1].draft

    assert second is not None
    assert second.flags == (EXCERPT,)
    assert second.image.url == "https://delta-observer.example/uploads/nets.jpg"


@pytest.mark.parametrize(
    "media",
    [
        '<media:content url="https://a.example/i.jpg" medium="image"/>',
        '<media:content url="https://a.example/i.jpg" type="image/jpeg"/>',
        '<media:thumbnail url="https://a.example/i.jpg"/>',
        '<enclosure url="https://a.example/i.jpg" type="image/png" length="1"/>',
        '<enclosure url="https://a.example/i.jpg" length="1"/>',
        '<description>&lt;img src="/i.jpg"&gt; x</description>',
    ],
)
def test_finds_the_picture(media: str) -> None:
    drafts = read_items(f"<item><title>A</title>{media}</item>")

    assert drafts[0].image.url == "https://a.example/i.jpg"


def test_takes_no_sound_for_a_picture() -> None:
    drafts = read_items(
        "<item><title>A</title>"
        '<enclosure url="https://a.example/i.mp3" type="audio/mpeg" length="1"/></item>'
    )

    assert drafts[0].image.url is None


def test_takes_the_credit_of_the_media_extension() -> None:
    drafts = read_items(
        "<item><title>A</title><media:credit>Nadia</media:credit></item>"
    )

    assert drafts[0].image.credit == "Nadia"


def test_takes_the_address_from_the_guid_where_there_is_no_link() -> None:
    drafts = read_items(
        "<item><title>A</title><guid>https://a.example/1</guid></item>",
        "<item><title>B</title><guid isPermaLink='false'>tag:1</guid></item>",
    )

    assert [d.url for d in drafts] == ["https://a.example/1", None]


def test_an_item_dated_impossibly_has_no_date() -> None:
    drafts = read_items(
        "<item><title>A</title><pubDate>Mon, 99 Foo 2024</pubDate></item>"
    )

    assert drafts[0].published_on is None


def test_reads_or_refuses_every_feed_of_the_collection(shared: Path) -> None:
    folder = shared / "corpora" / "feed-rs"
    paths = [p for p in folder.glob("*/*") if not p.name.endswith(".serde.json")]
    count = 0

    for path in paths:
        try:
            feed = (
                read_json_feed(path.read_text(encoding="utf-8"), zone=CAIRO)
                if path.suffix == ".json"
                else read(path.read_bytes())
            )
        except RefusedError:
            continue
        assert not [item.reason for item in feed.items if item.draft is None], path
        count += 1

    assert len(paths) > 50
    assert count > len(paths) - 6


def test_refuses_every_bomb_at_once(shared: Path) -> None:
    folder = shared / "corpora" / "defusedxml-bombs" / "xmltestdata"
    paths = sorted(folder.iterdir())
    start = time.process_time()

    for path in paths:
        with pytest.raises(RefusedError):
            read_feed(path.read_bytes(), zone=CAIRO)

    assert len(paths) == 13
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "body",
    [
        b"<rss version='2.0'><channel><item><title>cut off in the",
        b"<html><body>x</body></html>",
        b"<a/>",
        HEAD.encode() + b"<item></channel>" + b"\0" * 9,
    ],
)
def test_reads_or_refuses_what_is_broken(body: bytes) -> None:
    with suppress(RefusedError):
        assert read(body).items


@given(st.text(alphabet="<>/&;![]ac item=\"'rss", max_size=120))
def test_reads_or_refuses_anything(text: str) -> None:
    try:
        feed = read(f"{HEAD}<item>{text}</item></channel></rss>".encode())
    except RefusedError:
        return

    assert len(feed.items) <= 500


@pytest.mark.parametrize("name", ["tags", "links", "content", "media_content"])
def test_an_element_with_an_unlucky_name_costs_one_item(name: str) -> None:
    odd = f"<item><title>A</title><{name}>x</{name}></item>"
    body = f"{HEAD}{odd}<item><title>B</title></item></channel></rss>".encode()

    items = read(body).items

    assert items[1].draft is not None


def test_refuses_a_feed_that_breaks_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser_process, "MEGABYTES", 1)

    with pytest.raises(RefusedError, match="time and memory"):
        read_feed(f"{HEAD}</channel></rss>".encode(), zone=CAIRO)


def test_refuses_an_item_that_is_too_large() -> None:
    huge = "&lt;p&gt;" + "x" * 2_000_001
    body = f"{HEAD}<item><title>A</title><description>{huge}</description></item>"

    item = read(f"{body}</channel></rss>".encode()).items[0]

    assert "2 MB" in item.reason


def make_json(**item: object) -> str:
    return json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": "The Delta Observer",
            "home_page_url": "https://a.example/",
            "language": "en",
            "items": [{"id": "1", "title": "A", **item}, "not an item"],
        }
    )


def test_reads_a_json_feed() -> None:
    feed = read_json_feed(
        make_json(
            url="/1",
            content_html="<p>One</p><p>Two</p><img src='/i.jpg'>",
            summary="Sum <b>up</b>",
            date_published="2024-05-11T23:30:00Z",
            authors=[{"name": "Omar"}, {"name": "Hoda"}, "x"],
            tags=["Politics", 7],
        ),
        zone=CAIRO,
    )

    draft = first(feed)
    assert (draft.title, draft.url) == ("A", "https://a.example/1")
    assert draft.paragraphs == ("One", "Two")
    assert draft.standfirst == "Sum up"
    assert draft.published_on == date(2024, 5, 12)
    assert draft.author == "Omar, Hoda"
    assert draft.categories == ("Politics", "")
    assert draft.image.url == "https://a.example/i.jpg"


@pytest.mark.parametrize(
    ("stated", "until"),
    [
        ("2024-05-12T20:00:00+03:00", datetime(2024, 5, 12, 17, tzinfo=UTC)),
        ("2024-05-12T20:00:00", None),
        ("2024-05-12", None),
        ("9999-12-31T23:00:00-05:00", None),
    ],
)
def test_knows_the_instant_of_a_story_that_states_its_offset(
    stated: str, until: datetime | None
) -> None:
    draft = first(read_json_feed(make_json(date_published=stated), zone=CAIRO))

    assert draft.embargo_until == until


def test_knows_the_instant_of_an_entry() -> None:
    (draft,) = read_items(
        "<item><title>A</title><link>https://a.example/1</link>"
        "<pubDate>Sun, 12 May 2024 23:30:00 +0200</pubDate></item>"
    )

    assert draft.embargo_until == datetime(2024, 5, 12, 21, 30, tzinfo=UTC)
    assert draft.published_on == date(2024, 5, 13)  # in Cairo


def test_reads_a_json_feed_of_plain_text() -> None:
    draft = first(read_json_feed(make_json(content_text="One\n\nTwo <b>"), zone=CAIRO))

    assert draft.paragraphs == ("One", "Two <b>")


def test_refuses_a_json_item_that_is_too_large() -> None:
    body = make_json(content_html="x" * 2_000_001)

    item = read_json_feed(body, zone=CAIRO).items[0]

    assert item.draft is None
    assert "2 MB" in item.reason


def test_a_json_item_with_a_summary_only_is_an_excerpt() -> None:
    feed = read_json_feed(make_json(title="", summary="Sum", tags="x"), zone=CAIRO)

    assert (first(feed).title, first(feed).flags) == ("Sum", (EXCERPT,))


@pytest.mark.parametrize(
    "body",
    ["{", "[" * 100_000, "{}", "[]", '{"version":"https://jsonfeed.org/","items":1}'],
)
def test_refuses_json_that_is_no_feed(body: str) -> None:
    with pytest.raises(RefusedError, match="JSON"):
        read_json_feed(body, zone=CAIRO)
