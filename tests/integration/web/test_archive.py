"""The archive and its feeds: released editions, nothing else, nothing harmful."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from starlette.testclient import TestClient

from digest.bootstrap import Service
from digest.domain.editions import Edition, Sponsor, Story
from digest.domain.states import EditionKind, EditionState
from digest.storage import editions, tables
from digest.storage.engine import Tx
from digest.web.app import make_app
from tests.builders import NOW
from tests.integration.web.conftest import Web

DAY = date(2024, 5, 12)
LINKED_DATA = '<script type="application/ld+json">'
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"


def add_article(tx: Tx, newsletter_id: int, text_hash: str) -> int:
    row_id: int = tx.execute(
        tables.articles.insert()
        .values(
            newsletter_id=newsletter_id,
            text_hash=text_hash,
            title="t",
            author="",
            standfirst="",
            image_credit="",
            image_alt="",
            paragraphs=[],
            source="",
            language="en",
            categories=[],
            featured=False,
            flags=[],
            word_count=0,
            created_at=NOW,
            updated_at=NOW,
        )
        .returning(tables.articles.c.id)
    ).scalar_one()
    return row_id


def publish(
    web: Web,
    day: date = DAY,
    *,
    state: EditionState = EditionState.SENT,
    title: str = "Egypt refuses Rafah coordination: reports",
    url: str = "https://example.com/rafah",
    revision: int = 1,
) -> None:
    edition = Edition(
        newsletter_id=web.newsletter.id,
        issue_date=day,
        revision=revision,
        number=19,
        state=state,
        subject=title,
        preheader="Plus: two more.",
        opening="Good evening.",
        opening_by="The editors",
        why="It is the main way in.",
        sponsor=Sponsor(
            name="Nile Books", title="Walks", text="A guide.", url="https://b.example"
        ),
        released_at=NOW,
        created_at=NOW,
        updated_at=NOW,
    )
    with web.service.db.write() as tx:
        stories = [
            Story(
                article_id=add_article(
                    tx, web.newsletter.id, f"{day}{revision}{section}{place}"
                ),
                section=section,
                position=place,
                title=title if place == 1 else f"Story {place}",
                url=url,
                standfirst="What happened.",
                source="Egyptian Streets",
                word_count=600,
            )
            for place, section in enumerate(["news", "features", "arts"], start=1)
        ]
        editions.insert_edition(tx, edition, stories)


def test_an_edition_reads_as_a_page_of_its_own(web: Web) -> None:
    publish(web)

    answer = web.client.get("/archive/weekly/2024-05-12")

    html = answer.text
    assert answer.status_code == 200
    assert ">Egypt refuses Rafah coordination: reports</h1>" in html
    assert "Sunday 12 May 2024" in html
    assert "Paid for by Nile Books" in html
    assert html.count("<article") == 3
    assert 'rel="canonical" href="https://news.example.test/archive/weekly/' in html
    assert "/u/" not in html
    assert "<script" not in html.replace(LINKED_DATA, "")


def test_only_released_editions_are_public(web: Web) -> None:
    hidden = [s for s in EditionState if s not in {"sending", "paused", "sent"}]
    for n, state in enumerate(hidden, start=1):
        publish(web, date(2024, 4, n), state=state, title="Not yet")

    pages = [
        web.client.get(path).text
        for path in ("/archive", "/feed.xml", "/feed.json", "/sitemap.xml")
    ]
    codes = {
        web.client.get(f"/archive/weekly/2024-04-0{n}").status_code
        for n in range(1, len(hidden) + 1)
    }

    assert codes == {404}
    assert all("2024-04" not in page for page in pages)


def test_the_archive_is_by_year_and_its_pages_lead_to_their_neighbours(
    web: Web,
) -> None:
    for day in (date(2023, 12, 31), date(2024, 5, 5), DAY):
        publish(web, day)

    index = web.client.get("/archive").text
    before = web.client.get("/archive/weekly/2023").text
    middle = web.client.get("/archive/weekly/2024-05-05").text

    assert "<h2>2024</h2>" in index
    assert "2023-12-31" not in index
    assert 'href="/archive/weekly/2023"' in index
    assert "<h2>2023</h2>" in before
    assert 'href="/archive/weekly/2023-12-31"' in before
    assert 'rel="prev" href="/archive/weekly/2023-12-31"' in middle
    assert 'rel="next" href="/archive/weekly/2024-05-12"' in middle


def test_each_year_has_one_address(web: Web) -> None:
    for day in (date(2023, 12, 31), DAY):
        publish(web, day)

    answers = {
        path: web.client.get(path)
        for path in ("/archive/weekly/2024", "/archive/weekly/2023")
    }
    missing = web.client.get("/archive/weekly/1999")

    canonical = {
        path: re.findall(r'rel="canonical" href="([^"]+)"', answer.text)
        for path, answer in answers.items()
    }
    assert canonical == {
        "/archive/weekly/2024": ["https://news.example.test/archive?newsletter=weekly"],
        "/archive/weekly/2023": ["https://news.example.test/archive/weekly/2023"],
    }
    assert missing.status_code == 404


def test_ten_years_of_editions_make_no_heavy_page(web: Web) -> None:
    for week in range(53):
        day = date(2024, 1, 1) + timedelta(days=7 * week)
        publish(web, day, title="عنوان طويل من عشر كلمات كما تكون عناوين الأخبار")

    pages = [web.client.get(path) for path in ("/archive", "/archive/weekly/2024")]

    assert [page.status_code for page in pages] == [200, 200]
    assert max(len(page.content) for page in pages) < 30_000


def test_of_several_revisions_the_last_one_is_read(web: Web) -> None:
    publish(web, title="The first attempt", state=EditionState.CANCELLED)
    publish(web, title="The second attempt", revision=2)

    index = web.client.get("/archive").text
    page = web.client.get("/archive/weekly/2024-05-12").text

    assert "The second attempt" in index
    assert "The first attempt" not in index + page


def test_the_sign_up_page_leads_to_the_latest_edition(web: Web) -> None:
    publish(web)

    html = web.client.get("/").text

    assert 'href="/archive/weekly/2024-05-12"' in html
    assert "Egypt refuses Rafah coordination" in html


ATTACKS: Sequence[tuple[str, str]] = [
    ("<script>alert(1)</script>", "https://example.com"),
    ("{{ 7*7 }}", "javascript:alert(1)"),
    ('"><img src=x onerror=alert(1)>', "data:text/html,<script>alert(1)</script>"),
    ("\x0bvertical\u2028line\ue000slot", 'https://example.com/"onmouseover="x'),
]


@pytest.mark.parametrize(("title", "url"), ATTACKS)
def test_a_hostile_story_stays_text(web: Web, title: str, url: str) -> None:
    """Attacks A2, A15."""
    publish(web, title=title, url=url)

    html = web.client.get("/archive/weekly/2024-05-12").text
    feed = ET.fromstring(web.client.get("/feed.xml").text)  # noqa: S314 - our own

    content = feed.findtext(f"channel/item/{CONTENT}") or ""
    before, _, after = html.partition(LINKED_DATA)
    data, _, rest = after.partition("</script>")
    assert not set(data) & set("<>&'")
    assert json.loads(data)["headline"]
    for text in (before + rest, content):
        assert "<script" not in text
        assert "<img" not in text
        assert "javascript:" not in text
        assert "data:" not in text
        assert '"onmouseover' not in text
        assert "49" not in text


def test_rss_holds_whole_editions(web: Web) -> None:
    publish(web)

    answer = web.client.get("/feed.xml")

    channel = ET.fromstring(answer.text).find("channel")  # noqa: S314 - our own
    assert answer.headers["Content-Type"].startswith("application/rss+xml")
    assert channel is not None
    assert channel.findtext("title") == "The Week"
    assert channel.findtext("item/pubDate") == "Sun, 12 May 2024 12:00:00 +0000"
    assert "What happened." in (channel.findtext(f"item/{CONTENT}") or "")


def test_json_feed_says_version_and_items(web: Web) -> None:
    publish(web)

    answer = web.client.get("/feed.json")

    document = json.loads(answer.text)
    assert answer.headers["Content-Type"].startswith("application/feed+json")
    assert document["version"] == "https://jsonfeed.org/version/1.1"
    assert document["items"][0]["url"].endswith("/archive/weekly/2024-05-12")


@pytest.mark.parametrize("path", ["/feed.xml", "/feed.json", "/sitemap.xml"])
def test_a_feed_that_did_not_change_is_not_sent_again(web: Web, path: str) -> None:
    publish(web)
    etag = web.client.get(path).headers["ETag"]

    same = web.client.get(path, headers={"If-None-Match": f'"x", W/{etag}'})
    other = web.client.get(path, headers={"If-None-Match": '"x"'})

    assert (same.status_code, same.text, other.status_code) == (304, "", 200)


def test_before_init_there_is_no_page_but_a_designed_one(service: Service) -> None:
    with TestClient(make_app(service)) as client:
        answers = [client.get(path) for path in ("/", "/u/x", "/help")]

    assert [a.status_code for a in answers] == [404, 200, 404]
    assert all("<h1>" in a.text for a in answers)


def test_search_engines_are_told_what_an_edition_is(web: Web) -> None:
    publish(web)
    html = web.client.get("/archive/weekly/2024-05-12").text

    data = json.loads(html.partition(LINKED_DATA)[2].partition("</script>")[0])

    address = "https://news.example.test/archive/weekly/2024-05-12"
    stories = data["mainEntity"]["itemListElement"]
    assert (data["@context"], data["@type"]) == ("https://schema.org", "NewsArticle")
    assert data["headline"] == "Egypt refuses Rafah coordination: reports"
    assert data["url"] == data["mainEntityOfPage"] == address
    assert data["datePublished"] == "2024-05-12T12:00:00+00:00"
    assert data["publisher"] == {"@type": "Organization", "name": "The Week"}
    assert [story["position"] for story in stories] == [1, 2, 3]
    assert stories[0]["url"] == "https://example.com/rafah"


def test_those_who_share_a_page_see_what_it_is(web: Web) -> None:
    publish(web)

    html = web.client.get("/archive/weekly/2024-05-12").text

    named = dict(re.findall(r'property="([^"]+)" content="([^"]*)"', html))
    assert named["og:type"] == "article"
    assert named["og:title"] == "Egypt refuses Rafah coordination: reports"
    assert named["og:description"] == "Plus: two more."
    assert named["og:url"].endswith("/archive/weekly/2024-05-12")
    assert named["og:locale"] == "en"
    assert named["article:published_time"] == "2024-05-12T12:00:00+00:00"


def test_an_edition_ends_with_a_form_that_signs_up(web: Web) -> None:
    publish(web)

    html = web.client.get("/archive/weekly/2024-05-12").text

    form = html.partition('action="/subscribe"')[2].partition("</form>")[0]
    assert 'name="newsletter" value="weekly"' in form
    assert 'name="address"' in form
    assert re.search(r'name="stamp" value="[^"]+"', form)


def test_a_story_put_under_embargo_afterwards_is_shown_from_then_on(web: Web) -> None:
    publish(web)
    until = NOW + timedelta(hours=1)
    with web.service.db.write() as tx:
        tx.execute(
            tables.articles.update()
            .where(tables.articles.c.id == 2)
            .values(embargo_until=until)
        )
    paths = ("/archive/weekly/2024-05-12", "/feed.xml", "/feed.json")

    hidden = ["Story 2" in web.client.get(path).text for path in paths]
    service = replace(web.service, clock=lambda: until)
    client = TestClient(make_app(service))
    shown = ["Story 2" in client.get(path).text for path in paths]

    assert (hidden, shown) == ([False] * 3, [True] * 3)


def publish_correction(web: Web, *, revision: int = 1, **changes: Any) -> None:
    with web.service.db.write() as tx:
        wrong = editions.list_page(tx, limit=1)[0]
        correction = replace(
            wrong,
            kind=EditionKind.CORRECTION,
            corrects=wrong.corrects or wrong.id,
            revision=revision,
            state=EditionState.SENT,
            subject=f"Correction: number {revision}",
            opening="It **did not** open.",
            why="",
            sponsor=None,
            released_at=NOW + timedelta(days=revision),
        )
        editions.insert_edition(tx, replace(correction, **changes), [])


def test_an_edition_names_its_corrections_and_each_has_a_page(web: Web) -> None:
    publish(web)
    publish_correction(web)
    publish_correction(web, revision=2)
    publish_correction(web, revision=3, state=EditionState.DRAFT)

    edition, index, feed, item, sitemap, first, second = (
        web.client.get(path).text
        for path in (
            *("/archive/weekly/2024-05-12", "/archive", "/feed.xml", "/feed.json"),
            *("/sitemap.xml", "/archive/weekly/2024-05-12/correction"),
            "/archive/weekly/2024-05-12/correction-2",
        )
    )

    for page in (edition, index, feed, item, sitemap):
        assert "/archive/weekly/2024-05-12/correction" in page
        assert "/archive/weekly/2024-05-12/correction-2" in page
        assert "correction-3" not in page
    assert "It <strong>did not</strong> open." in first
    assert "Correction to No. 19 of Sunday 12 May 2024" in first
    assert 'href="/archive/weekly/2024-05-12"' in first
    assert ">Correction: number 2</h1>" in second


@pytest.mark.parametrize(
    "name", ["correction-1", "correction-2", "correction-x", "other", "correction"]
)
def test_a_correction_that_is_not_there_is_not_found(web: Web, name: str) -> None:
    publish(web)
    if name != "correction":
        publish_correction(web)

    answer = web.client.get(f"/archive/weekly/2024-05-12/{name}")

    assert answer.status_code == 404


def test_an_edition_that_was_called_back_says_so_to_who_got_it(web: Web) -> None:
    publish(web, state=EditionState.CANCELLED)
    page = "/archive/weekly/2024-05-12"
    unsent = web.client.get(page).status_code
    with web.service.db.write() as tx:
        tx.execute(
            tables.variants.insert().values(
                edition_id=1, sections="", format="html", subject="s", text="t"
            )
        )
        tx.execute(
            tables.deliveries.insert().values(
                edition_id=1,
                subscriber_id=1,
                subscription_id=1,
                variant_id=1,
                chunk=0,
                confirmed_on=DAY,
                key_id=1,
                state="sent",
            )
        )
    publish_correction(web)

    answer = web.client.get(page)
    correction = web.client.get(f"{page}/correction")

    assert (unsent, answer.status_code) == (404, 410)
    assert "This edition was called back" in answer.text
    assert f'href="{page}/correction"' in answer.text
    assert "did not" in correction.text
    assert "The edition that this corrects" not in correction.text
