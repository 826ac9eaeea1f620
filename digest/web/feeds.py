"""The archive for programs: RSS 2.0, JSON Feed 1.1, the sitemap, robots.txt."""

import json
from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime
from xml.etree import ElementTree as ET

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from digest.bootstrap import Service
from digest.compose.correction import correction_number
from digest.compose.view import EditionView
from digest.domain.editions import Edition
from digest.domain.newsletters import Newsletter
from digest.domain.site import PERSONAL, Site
from digest.web.archive import (
    corrected,
    edition_html,
    issues,
    published_at,
    released,
    view_of,
)
from digest.web.pages import (
    all_newsletters,
    cacheable,
    choose_newsletter,
    service_of,
)

_MOST_ITEMS = 20
_ATOM = "http://www.w3.org/2005/Atom"
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_PURL = "http://purl.org/dc/elements/1.1/"
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_CLOSED = (*PERSONAL, "/feedback/")

ET.register_namespace("atom", _ATOM)
ET.register_namespace("content", _CONTENT)
ET.register_namespace("dc", _PURL)


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
    found = released(service, newsletter, _MOST_ITEMS)
    changed = _latest(found)
    if changed:
        _add(channel, "lastBuildDate", format_datetime(changed))
    for edition in found:
        item = ET.SubElement(channel, "item")
        url = _edition_url(service.site, newsletter, edition)
        _add(item, "title", edition.subject)
        _add(item, "link", url)
        ET.SubElement(item, "guid", isPermaLink="true").text = url
        _add(item, "pubDate", format_datetime(published_at(edition)))
        # RSS's own author must be an address; the name of one is Dublin Core's.
        _add(item, f"{{{_PURL}}}creator", newsletter.sender.name)
        _add(item, "description", edition.preheader)
        html = edition_html(service, newsletter, edition)
        _add(item, f"{{{_CONTENT}}}encoded", html)
    return cacheable(request, _xml(root), "application/rss+xml", changed=changed)


def json_feed(request: Request) -> Response:
    """GET /feed.json: JSON Feed 1.1."""
    service, newsletter = service_of(request), choose_newsletter(request)
    found = released(service, newsletter, _MOST_ITEMS)
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": newsletter.name,
        "home_page_url": service.site.page("/", newsletter.slug),
        "feed_url": service.site.page("/feed.json", newsletter.slug),
        "description": newsletter.purpose,
        "favicon": service.site.page("/static/icon.svg"),
        "language": newsletter.language,
        "authors": [{"name": newsletter.sender.name}],
        "items": [_item(service, newsletter, edition) for edition in found],
    }
    body = json.dumps(document, ensure_ascii=False)
    kind = "application/feed+json"
    return cacheable(request, body, kind, changed=_latest(found))


def _item(
    service: Service, newsletter: Newsletter, edition: Edition
) -> dict[str, object]:
    url = _edition_url(service.site, newsletter, edition)
    view = view_of(service, newsletter, edition)
    item: dict[str, object] = {
        "id": url,
        "url": url,
        "title": edition.subject,
        "summary": edition.preheader,
        "content_html": edition_html(service, newsletter, edition),
        "date_published": published_at(edition).isoformat(),
        "tags": [title for title, _ in view.contents],
    }
    return item | _picture(view, service.site)


def _picture(view: EditionView, site: Site) -> dict[str, str]:
    if view.lead is None or view.lead.image is None:
        return {}
    return {"image": site.page(view.lead.image.lead.path)}


def sitemap(request: Request) -> Response:
    """GET /sitemap.xml: the public pages and every released edition."""
    service = service_of(request)
    root = ET.Element("urlset", xmlns=_SITEMAP)
    for newsletter in all_newsletters(service):
        found = issues(service, newsletter)
        paths = ["/", "/archive", "/privacy", "/help", "/accessibility"]
        # As each page names itself in rel=canonical.
        pages = [(service.site.page(path, newsletter.slug), "") for path in paths]
        pages += [
            (service.site.page(f"/archive/{newsletter.slug}/{year}"), "")
            for year in sorted({i.issue_date.year for i in found})[:-1]
        ]
        pages += [
            (
                service.site.archive_url(newsletter.slug, issue.issue_date.isoformat()),
                issue.updated_at.date().isoformat(),
            )
            for issue in found
        ]
        pages += [
            (
                _edition_url(service.site, newsletter, e),
                published_at(e).date().isoformat(),
            )
            for e in corrected(service, newsletter)
        ]
        for address, changed in pages:
            url = ET.SubElement(root, "url")
            _add(url, "loc", address)
            if changed:
                _add(url, "lastmod", changed)
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


def _latest(found: Iterable[Edition]) -> datetime | None:
    return max(map(published_at, found), default=None)


def _edition_url(site: Site, newsletter: Newsletter, edition: Edition) -> str:
    return site.archive_url(
        newsletter.slug,
        edition.issue_date.isoformat(),
        correction=correction_number(edition),
    )
