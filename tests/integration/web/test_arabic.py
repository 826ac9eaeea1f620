"""The pages of an Arabic newsletter beside an English one: every word, every side."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from html import unescape
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from digest.bootstrap import Service
from digest.care.newsletter_files import read_seed
from digest.domain.actor import READER
from digest.domain.addresses import parse_address
from digest.domain.newsletters import Newsletter
from digest.domain.states import EditionState
from digest.domain.subscribers import Origin
from digest.domain.tokens import Purpose
from digest.storage import editions, newsletters, subscribers, subscriptions
from digest.subscriptions import leave, opt_in, sign_up
from digest.web.app import make_app
from tests.builders import NOW, add_newsletter
from tests.weeks import add_article
from tests.weeks_arabic import arabic_week

SHIPPED = Path(__file__).parents[3] / "config" / "newsletters" / "weekly-ar.toml"
ARABIC = {"Accept-Language": "ar-EG,ar;q=0.9,en;q=0.5"}
NAME = "حصاد الأسبوع"
# What stays Latin in Arabic: names of sources and standards, the English newsletter.
LATIN = {
    "RSS",
    "AA",
    "TRT",
    "World",
    "The",
    "Week",
    "National",
    "Egyptian",
    "Streets",
} | {
    "Nile",
    "Reads",
    "Demo",
    "drawing",
}


@dataclass(frozen=True, kw_only=True)
class Pages:
    """The pages; layla is active, nour is pending, huda has left."""

    client: TestClient
    service: Service

    def link(self, path: str, purpose: Purpose, name: str) -> str:
        with self.service.db.read() as tx:
            reader = subscribers.find(tx, f"{name}@example.test")
            assert reader is not None
            held = subscriptions.for_subscriber(tx, reader.id)[0]
        token = self.service.secrets.tokens.issue(purpose, held.id, at=NOW)
        return f"/{path}/{token}"

    def every(self) -> Iterator[tuple[str, str]]:
        """Get each page an Arabic reader can come to: its address and its HTML."""
        for path in ("/", "/archive", "/privacy", "/help", "/accessibility"):
            yield path, self.client.get(f"{path}?newsletter=weekly-ar").text
        yield from self._by_links()
        yield from self._by_forms()
        for path in ("/no/such/page", "/confirm/x", "/u/x", "/preferences/x"):
            yield path, self.client.get(path, headers=ARABIC).text
        refused = self.client.request("DELETE", "/u/x", headers=ARABIC)
        yield "DELETE /u/x", refused.text

    def _by_links(self) -> Iterator[tuple[str, str]]:
        for path in (
            "/archive/weekly-ar/2024-05-12",
            "/archive/weekly-ar/2024-05-13",
            "/feedback/weekly-ar/2024-05-12?answer=fine",
            self.link("confirm", Purpose.CONFIRM, "nour"),
            self.link("confirm", Purpose.CONFIRM, "layla"),
            self.link("confirm", Purpose.CONFIRM, "huda"),
            self.link("u", Purpose.UNSUBSCRIBE, "layla"),
            self.link("u", Purpose.UNSUBSCRIBE, "huda"),
            self.link("preferences", Purpose.PREFERENCES, "layla"),
            self.link("preferences", Purpose.PREFERENCES, "huda"),
            self.link("my-data", Purpose.RIGHTS, "layla"),
        ):
            yield path, self.client.get(path).text

    def _by_forms(self) -> Iterator[tuple[str, str]]:
        preferences = self.link("preferences", Purpose.PREFERENCES, "layla")
        leaving = self.link("u", Purpose.UNSUBSCRIBE, "layla")
        confirm = self.link("confirm", Purpose.CONFIRM, "huda")
        data = self.link("my-data", Purpose.RIGHTS, "layla")
        for path, form in (
            ("/subscribe", {"address": "", "newsletter": "weekly-ar"}),
            ("/subscribe", {"address": "half@", "newsletter": "weekly-ar"}),
            ("/subscribe", {"address": "new@example.test", "newsletter": "weekly-ar"}),
            ("/feedback/weekly-ar/2024-05-12", {"answer": "useful"}),
            (preferences, {"action": "save", "format": "text"}),
            (preferences, {"action": "pause", "weeks": "8"}),
            (preferences, {"action": "resume"}),
            (preferences, {"action": "join", "newsletter": "weekly"}),
            (leaving, {"page": "1"}),
            (leaving, {"undo": "1"}),
            (confirm, {"again": "1"}),
            (self.link("confirm", Purpose.CONFIRM, "nour"), {"never": "1"}),
            (preferences, {"action": "link"}),
            (preferences, {"action": "leave-all"}),
            (preferences, {"action": "undo-all"}),
            (leaving, {"page": "1", "reason": "other"}),
            (data, {"action": "move", "address": ""}),
            (data, {"action": "move", "address": "half@"}),
            (data, {"action": "move", "address": "LAYLA@example.test"}),
            (data, {"action": "move", "address": "new@example.test"}),
            (data, {"action": "delete"}),
            (data, {"action": "delete", "sure": "1"}),
        ):
            yield f"{path} {form}", self.client.post(path, data=form).text


@pytest.fixture
def pages(service: Service) -> Iterator[Pages]:
    add_newsletter(service.db)
    seed = read_seed(SHIPPED, mail_domain="news.example.test").newsletter
    with service.db.write() as tx:
        newsletter = newsletters.add(tx, seed, now=NOW)
    publish(service, newsletter)
    origin = Origin(source="test", wording="نعم")
    for name in ("layla", "huda"):
        opt_in.record(
            service.db,
            newsletter="weekly-ar",
            address=parse_address(f"{name}@example.test"),
            origin=origin,
            secrets=service.secrets,
            actor=READER,
            now=NOW,
        )
    sign_up.request(
        service.db,
        newsletter="weekly-ar",
        address=parse_address("nour@example.test"),
        origin=origin,
        site=service.site,
        secrets=service.secrets,
        templates=service.templates,
        actor=READER,
        now=NOW,
    )
    with TestClient(
        make_app(service, answer_after=0), raise_server_exceptions=False
    ) as client:
        found = Pages(client=client, service=service)
        leave.by_token(
            service.db,
            token=found.link("u", Purpose.UNSUBSCRIBE, "huda").rpartition("/")[2],
            origin=origin,
            secrets=service.secrets,
            actor=READER,
            now=NOW,
        )
        yield found


def publish(service: Service, newsletter: Newsletter) -> None:
    edition, _, told = arabic_week()
    stories = [
        replace(
            story,
            article_id=add_article(service.db, newsletter, title=story.title).id,
            picture=None,
        )
        for story in told
    ]
    sent = replace(
        edition,
        newsletter_id=newsletter.id,
        state=EditionState.SENT,
        released_at=NOW,
    )
    with service.db.write() as tx:
        editions.insert_edition(tx, sent, stories)


def test_every_page_is_arabic_and_runs_from_right_to_left(pages: Pages) -> None:
    seen = 0
    for path, html in pages.every():
        assert '<html lang="ar" dir="rtl">' in html, path
        assert len(re.findall("<h1", html)) == 1, path
        seen += 1

    assert seen == 43


def test_no_page_holds_an_english_word(pages: Pages) -> None:
    for path, html in pages.every():
        assert words_of(html) - LATIN == set(), path


def words_of(html: str) -> set[str]:
    """Return the Latin words somebody can see or hear; addresses are none."""
    spoken = re.findall(r'(?:alt|title|aria-label|placeholder)="([^"]*)"', html)
    spoken += re.findall(
        r'"(?:description|og:title|og:description|og:site_name)" content="([^"]*)"',
        html,
    )
    shown = re.sub(
        r"<head>.*?<title>|</title>.*?</head>|<[^>]+>", " ", html, flags=re.DOTALL
    )
    text = unescape(" ".join([shown, *spoken]))
    text = re.sub(r"\S*(?:@|://)\S*", " ", text)
    return set(re.findall(r"[A-Za-z]{2,}", text))


def test_a_broken_link_is_answered_in_the_readers_language(pages: Pages) -> None:
    arabic = pages.client.get("/preferences/mistyped", headers=ARABIC)
    english = pages.client.get("/preferences/mistyped")

    assert "<h1>هذا الرابط لا يعمل</h1>" in arabic.text
    assert "<h1>This link does not work</h1>" in english.text
    assert arabic.headers["Vary"] == "Accept-Language"


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("ar", "ar"),
        ("AR-eg", "ar"),
        ("fr, ar;q=0.4, en;q=0.3", "ar"),
        ("en, ar;q=0.9", "en"),
        ("ar;q=0, fr", "en"),
        ("ar;q=x, en", "en"),
        (";;;,=q", "en"),
        ("", "en"),
    ],
)
def test_what_a_browser_asks_for_is_weighed(
    pages: Pages, asked: str, language: str
) -> None:
    answer = pages.client.get("/no/such/page", headers={"Accept-Language": asked})

    assert f'<html lang="{language}"' in answer.text


def test_an_address_that_names_a_newsletter_decides(pages: Pages) -> None:
    missing = pages.client.get("/archive/weekly-ar/1999-01-01")
    refused = pages.client.post("/help?newsletter=weekly-ar")

    assert (missing.status_code, refused.status_code) == (404, 405)
    assert '<html lang="ar" dir="rtl">' in missing.text
    assert '<html lang="ar" dir="rtl">' in refused.text


def stopped() -> datetime:
    """A clock that fails as nothing of ours should."""
    raise RuntimeError


def test_a_fault_of_ours_is_told_in_arabic(pages: Pages, service: Service) -> None:
    broken = make_app(replace(service, clock=stopped), answer_after=0)
    with TestClient(broken, raise_server_exceptions=False) as client:
        fault = client.get("/", headers=ARABIC)
    with pages.service.db.write() as tx:
        tx.exec_driver_sql("DROP TABLE sections")

    trouble = pages.client.get("/", headers=ARABIC)

    assert (fault.status_code, trouble.status_code) == (500, 503)
    for answer in (fault, trouble):
        assert '<html lang="ar" dir="rtl">' in answer.text
        assert words_of(answer.text) == set()


def test_the_first_page_stays_that_of_the_first_newsletter(pages: Pages) -> None:
    html = pages.client.get("/", headers=ARABIC).text

    assert '<html lang="en" dir="ltr">' in html
    assert f'lang="ar" href="/?newsletter=weekly-ar"><bdi>{NAME}</bdi>' in html


def test_an_edition_page_writes_its_figures_and_date_in_arabic(pages: Pages) -> None:
    html = pages.client.get("/archive/weekly-ar/2024-05-12").text

    assert "العدد ١٩ · " in html
    assert ">الأحد، ١٢ مايو ٢٠٢٤</time>" in html
    assert "دقيقتان للقراءة" in html
    assert "<bdi>Egyptian Streets</bdi>" in html


def test_feeds_say_that_they_are_arabic(pages: Pages) -> None:
    rss = pages.client.get("/feed.xml?newsletter=weekly-ar").text
    document = pages.client.get("/feed.json?newsletter=weekly-ar").json()

    assert "<language>ar</language>" in rss
    assert '&lt;div lang="ar" dir="rtl"&gt;' in rss
    assert document["language"] == "ar"
    assert document["home_page_url"].endswith("/?newsletter=weekly-ar")
    assert document["items"][0]["content_html"].startswith('<div lang="ar" dir="rtl">')


def test_the_sheet_names_no_side(pages: Pages) -> None:
    sheet = pages.client.get("/static/site.css").text

    assert not re.search(r"\b(?:left|right)\b", sheet)
    assert "letter-spacing" not in sheet
