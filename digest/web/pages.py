"""Turn a template into a response, in the language of a newsletter."""

import hashlib
import json
from datetime import datetime
from email.utils import format_datetime, mktime_tz, parsedate_tz
from functools import partial
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from digest.bootstrap import Service
from digest.domain.bidi import direction_of
from digest.domain.issue import write_date, write_figures
from digest.domain.newsletters import Newsletter
from digest.domain.tokens import Purpose
from digest.storage import newsletters


def service_of(request: Request) -> Service:
    """Return what the application was made with."""
    found: Service = request.app.state.service
    return found


def prefix_of(service: Service) -> str:
    """Return the path that a proxy has us under; mostly empty."""
    return urlsplit(service.site.base_url).path


def choose_newsletter(request: Request, slug: str | None = None) -> Newsletter:
    """Return the newsletter a page is about: the one named, else the first.

    Raises:
        HTTPException: 404 where there is none of that name.
    """
    every = all_newsletters(service_of(request))
    wanted = slug or request.query_params.get("newsletter")
    found = [n for n in every if wanted in {None, "", n.slug}]
    if not found:
        raise HTTPException(404)
    return found[0]


def all_newsletters(service: Service) -> list[Newsletter]:
    """Load every newsletter, the first one first."""
    with service.db.read() as tx:
        return list(newsletters.list_all(tx))


def render(
    request: Request,
    name: str,
    newsletter: Newsletter | None,
    *,
    status: int = 200,
    **context: Any,
) -> Response:
    """Render `web/<name>.html`."""
    html = render_text(service_of(request), name, newsletter, **context)
    return HTMLResponse(html, status_code=status)


def render_text(
    service: Service, name: str, newsletter: Newsletter | None, **context: Any
) -> str:
    """Render a template with what every page may use."""
    language = newsletter.language if newsletter else "en"
    direction = newsletter.direction if newsletter else "ltr"
    digits = digits_of(newsletter) if newsletter else "latn"
    shared = {
        "newsletter": newsletter,
        "direction": direction,
        "direction_of": partial(direction_of, base=direction),
        "prefix": prefix_of(service),
        "looks": looks_path(newsletter) if newsletter and newsletter.theme else "",
        "site": service.site,
        "subscribe_address": subscribe_address(service, newsletter),
        "figures": lambda number: write_figures(str(number), digits=digits),
        "long_date": lambda day: write_date(day, language=language, digits=digits),
    }
    return service.templates.page(name, language=language, context=shared | context)


def digits_of(newsletter: Newsletter) -> str:
    """Return the numbering system of a newsletter's pages."""
    return str(newsletter.theme.get("digits", "latn"))


def looks_path(newsletter: Newsletter) -> str:
    """Return where a newsletter's own colours are; it changes with them."""
    text = json.dumps([newsletter.direction, *sorted(newsletter.theme.items())])
    version = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"/looks/{newsletter.slug}.css?v={version}"


def subscribe_address(service: Service, newsletter: Newsletter | None) -> str:
    """Return where readers sign up by mail; empty where none comes in."""
    if newsletter is None or not service.settings.takes_mail:
        return ""
    return f"subscribe+{newsletter.slug}@{service.site.mail_domain}"


def form_stamp(service: Service, newsletter: Newsletter) -> str:
    """Sign the time at which a sign-up form is shown."""
    return service.secrets.tokens.issue(Purpose.FORM, newsletter.id, at=service.now())


def consent_wording(service: Service, newsletter: Newsletter) -> str:
    """Return exactly the words beside the sign-up button, for the evidence."""
    html = render_text(service, "_consent", newsletter)
    return " ".join(unescape(html).split())


def cacheable(
    request: Request, body: str, media_type: str, *, changed: datetime | None = None
) -> Response:
    """Answer with validators, or 304 where the client has the same body already.

    Args:
        request: What is answered.
        body: The whole text.
        media_type: Its type.
        changed: When it changed last, if that is known.
    """
    content = body.encode("utf-8")
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": etag}
    if changed is not None:
        headers["Last-Modified"] = format_datetime(changed, usegmt=True)
    if is_known(request, etag) or _is_unchanged(request, changed):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def is_known(request: Request, etag: str) -> bool:
    """Tell whether the client has what a validator names already."""
    # RFC 9110 §13.1.2: a list of validators, compared weakly
    known = request.headers.get("If-None-Match", "").replace("W/", "")
    return etag in [each.strip() for each in known.split(",")]


def _is_unchanged(request: Request, changed: datetime | None) -> bool:
    # RFC 9110 §13.1.3: not where there is an If-None-Match, and no bad date counts.
    if changed is None or "If-None-Match" in request.headers:
        return False
    since = parsedate_tz(request.headers.get("If-Modified-Since", ""))
    try:
        return since is not None and int(changed.timestamp()) <= mktime_tz(since)
    except (ValueError, OverflowError):  # a year that no calendar has
        return False
