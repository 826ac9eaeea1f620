"""The archive for programs: RSS 2.0, JSON Feed 1.1, the sitemap, robots.txt."""

import json
from datetime import datetime
from email.utils import format_datetime
from xml.etree import ElementTree as ET

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from digest.domain.editions import Edition
from digest.domain.newsletters import Newsletter
from digest.domain.site import Site
from digest.web.archive import edition_html, released
from digest.web.pages import (
    all_newsletters,
    cacheable,
    choose_newsletter,
    service_of,
)

_MOST_ITEMS = 20
_ATOM = "http://www.w3.org/2005/Atom"
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_CLOSED = ("/confirm/", "/u/", "/preferences/", "/feedback/")

ET.register_namespace("atom", _ATOM)
ET.register_namespace("content", _CONTENT)


def rss(request: Request) -> Response:
    """GET /feed.xml: RSS 2.0 with whole editions."""
    service, newsletter = service_of(request), choose_newsletter(request)
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    _add(channel, "title", newsletter.name)
    _add(channel, "link", service.site.page("/archive", newsletter.slug))
    _add(channel, "description", newsletter.purpose)
    _add(channel, "language", newsletter.language)
    ET.SubElement(
        channel,
        f"{{{_ATOM}}}link",
        rel="self",
        type="application/rss+xml",
        href=service.site.page("/feed.xml", newsletter.slug),
    )
    for edition in released(service, newsletter, _MOST_ITEMS):
        item = ET.SubElement(channel, "item")
        url = _edition_url(service.site, newsletter, edition)
        _add(item, "title", edition.subject)
        _add(item, "link", url)
        ET.SubElement(item, "guid", isPermaLink="true").text = url
        _add(item, "pubDate", format_datetime(_released_at(edition)))
        _add(item, "description", edition.preheader)
        html = edition_html(service, newsletter, edition)
        _add(item, f"{{{_CONTENT}}}encoded", html)
    return cacheable(request, _xml(root), "application/rss+xml")


def json_feed(request: Request) -> Response:
    """GET /feed.json: JSON Feed 1.1."""
    service, newsletter = service_of(request), choose_newsletter(request)
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": newsletter.name,
        "home_page_url": service.site.page("/", newsletter.slug),
        "feed_url": service.site.page("/feed.json", newsletter.slug),
        "description": newsletter.purpose,
        "language": newsletter.language,
        "authors": [{"name": newsletter.sender.name}],
        "items": [
            {
                "id": _edition_url(service.site, newsletter, edition),
                "url": _edition_url(service.site, newsletter, edition),
                "title": edition.subject,
                "summary": edition.preheader,
                "content_html": edition_html(service, newsletter, edition),
                "date_published": _released_at(edition).isoformat(),
            }
            for edition in released(service, newsletter, _MOST_ITEMS)
        ],
    }
    body = json.dumps(document, ensure_ascii=False)
    return cacheable(request, body, "application/feed+json")


def sitemap(request: Request) -> Response:
    """GET /sitemap.xml: the public pages and every released edition."""
    service = service_of(request)
    root = ET.Element("urlset", xmlns=_SITEMAP)
    pages = []
    for newsletter in all_newsletters(service):
        paths = ("/", "/archive", "/privacy", "/help")
        # As each page names itself in rel=canonical.
        pages += [service.site.page(path, newsletter.slug) for path in paths]
        pages += [
            _edition_url(service.site, newsletter, edition)
            for edition in released(service, newsletter)
        ]
    for page in pages:
        _add(ET.SubElement(root, "url"), "loc", page)
    return cacheable(request, _xml(root), "application/xml")


def robots(request: Request) -> Response:
    """GET /robots.txt: personal links are nobody's to index."""
    site = service_of(request).site
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _CLOSED)]
    return PlainTextResponse(
        "\n".join([*lines, f"Sitemap: {site.page('/sitemap.xml')}", ""])
    )


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = _printable(text)


def _printable(text: str) -> str:
    """Take out what XML 1.0 §2.2 does not allow."""
    return "".join(
        c for c in text if c in "\t\n\r" or " " <= c < "\ufffe" or c > "\uffff"
    )


def _xml(root: ET.Element) -> str:
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(
        root, encoding="unicode"
    )


def _released_at(edition: Edition) -> datetime:
    return edition.released_at or edition.updated_at


def _edition_url(site: Site, newsletter: Newsletter, edition: Edition) -> str:
    return site.archive_url(newsletter.slug, edition.issue_date.isoformat())
