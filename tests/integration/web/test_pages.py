"""Every public page: what it answers, what it carries, what a GET leaves alone."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from digest.bootstrap import Service
from digest.domain.site import Site
from digest.domain.tokens import Purpose
from digest.storage import tables
from digest.web.app import make_app
from tests.builders import add_newsletter
from tests.integration.web.conftest import Web

PLAIN = [
    "/",
    "/archive",
    "/privacy",
    "/help",
    "/accessibility",
    "/no/such/page",
]
TOKENS = {
    "/confirm/": (Purpose.CONFIRM, "bob@example.test"),
    "/u/": (Purpose.UNSUBSCRIBE, "alice@example.test"),
    "/preferences/": (Purpose.PREFERENCES, "alice@example.test"),
    "/my-data/": (Purpose.RIGHTS, "alice@example.test"),
    "/new-address/": (Purpose.MOVE, "alice@example.test"),
}


def pages(web: Web) -> Iterator[str]:
    yield from PLAIN
    for path, (purpose, address) in TOKENS.items():
        yield path + web.token(purpose, address)
        yield path + "mistyped"


def scripts(html: str) -> list[str]:
    """Find what a browser would run; an edition's description is data."""
    return re.findall(r'<script(?! type="application/ld\+json">)', html)


def snapshot(service: Service) -> dict[str, list[tuple[object, ...]]]:
    with service.db.read() as tx:
        return {
            table.name: [tuple(row) for row in tx.execute(table.select())]
            for table in tables.metadata.sorted_tables
        }


def test_every_page_is_small_and_has_one_heading_a_language_and_no_script(
    web: Web,
) -> None:
    for path in pages(web):
        html = web.client.get(path).text

        assert len(html) < 30_000, path
        assert len(re.findall("<h1", html)) == 1, path
        assert '<html lang="en" dir="ltr">' in html, path
        assert not scripts(html), path
        assert " style=" not in html, path
        assert not re.search(r'(?:src|href)="https?://(?!news\.example\.test)', html)


def test_every_answer_carries_the_security_headers_and_no_cookie(web: Web) -> None:
    for path in [*pages(web), "/static/site.css", "/healthz", "/feed.xml"]:
        headers = web.client.get(path).headers

        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in headers


def test_pages_with_a_token_are_neither_stored_nor_indexed(web: Web) -> None:
    for path in pages(web):
        headers = web.client.get(path).headers

        private = path.startswith(tuple(TOKENS))
        assert ("X-Robots-Tag" in headers) == private, path
        assert ("no-store" in headers["Cache-Control"]) == private, path


def test_get_and_head_change_nothing_on_any_route(web: Web) -> None:
    """Attacks A7, A8: mail scanners follow every link."""
    routes = [r for r in make_app(web.service).routes if isinstance(r, Route)]
    paths = [r.path for r in routes if "GET" in (r.methods or ())]
    tokens = {p.rstrip("/"): web.token(*t) for p, t in TOKENS.items()}
    before = snapshot(web.service)

    for path in paths:
        token = tokens.get(path.removesuffix("/{token}"), "")
        url = path.replace("{token}", token).replace("{newsletter}", "weekly")
        for method in ("GET", "HEAD"):
            web.client.request(method, url.replace("{issue_date}", "2024-05-12"))

    assert len(paths) > 12
    assert snapshot(web.service) == before


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/no/such/page", 404),
        ("GET", "/archive/weekly/2024-05-12", 404),
        ("GET", "/archive/weekly/20240512", 404),
        ("GET", "/archive/weekly/today", 404),
        ("GET", "/archive/daily/2024-05-12", 404),
        ("GET", "/?newsletter=daily", 404),
        ("GET", "/subscribe", 405),
        ("DELETE", "/u/x", 405),
        ("GET", "/confirm/x", 404),
        ("GET", "/preferences/x", 404),
        ("POST", "/preferences/x", 404),
        ("GET", "/u/x", 200),
        ("GET", "/archive/", 404),
        ("GET", "/static/../app.py", 404),
    ],
)
def test_refusals_are_designed_pages(
    web: Web, method: str, path: str, status: int
) -> None:
    answer = web.client.request(method, path)

    assert answer.status_code == status
    assert "<h1>" in answer.text


def test_a_405_names_what_is_allowed(web: Web) -> None:
    answer = web.client.request("DELETE", "/u/x")

    assert sorted(answer.headers["Allow"].split(", ")) == ["GET", "HEAD", "POST"]


def test_links_start_with_the_path_a_proxy_has_us_under(service: Service) -> None:
    add_newsletter(service.db)
    under = Site(base_url="https://example.test/news", mail_domain="example.test")
    with TestClient(make_app(replace(service, site=under))) as client:
        html = client.get("/").text

    links = re.findall(r'(?:href|action)="(/[^"]*)"', html)
    assert links
    assert all(link.startswith("/news/") for link in links)


def test_links_never_follow_the_host_header(web: Web) -> None:
    """Attack A10."""
    answers = [
        web.client.get(path, headers={"Host": "evil.test"})
        for path in [*pages(web), "/feed.xml", "/feed.json", "/sitemap.xml"]
    ]

    assert all("evil.test" not in answer.text for answer in answers)


def stopped() -> datetime:
    """A clock that fails as nothing of ours should."""
    raise RuntimeError


def test_a_fault_of_ours_is_a_page_with_the_headers(service: Service) -> None:
    add_newsletter(service.db)
    app = make_app(replace(service, clock=stopped))
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/")

    assert answer.status_code == 500
    assert "<h1>Our mistake</h1>" in answer.text
    assert "Content-Security-Policy" in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_database_that_cannot_answer_is_told_as_such(service: Service) -> None:
    with TestClient(make_app(service), raise_server_exceptions=False) as client:
        with service.db.write() as tx:
            tx.exec_driver_sql("DROP TABLE sections")
            tx.exec_driver_sql("DROP TABLE newsletters")

        answer = client.get("/")

    assert answer.status_code == 503
    assert "<h1>Not just now</h1>" in answer.text
    assert answer.headers["Retry-After"] == "60"
    assert "Content-Security-Policy" in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def test_health_tells_process_from_database(web: Web) -> None:
    before = web.client.get("/readyz").status_code
    with web.service.db.write() as tx:
        tx.exec_driver_sql("DROP TABLE alembic_version")

    alive, ready = web.client.get("/healthz"), web.client.get("/readyz")

    assert (before, alive.status_code, ready.status_code) == (200, 200, 503)


def test_robots_closes_the_personal_paths(web: Web) -> None:
    text = web.client.get("/robots.txt").text

    assert [path for path in TOKENS if f"Disallow: {path}\n" in text] == [*TOKENS]
