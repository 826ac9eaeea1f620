"""Past editions as web pages: released ones only, nothing personal in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from digest.bootstrap import Service
from digest.compose.view import EditionView, edition_view
from digest.domain.editions import Edition
from digest.domain.newsletters import Newsletter
from digest.storage import editions
from digest.web.pages import (
    all_newsletters,
    choose_newsletter,
    render,
    render_text,
    service_of,
)


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The editions before and after one; None at the ends."""

    older: Edition | None
    newer: Edition | None


def released(
    service: Service, newsletter: Newsletter, limit: int = 520
) -> Sequence[Edition]:
    """Load the editions that readers have got, newest first; one per issue date."""
    with service.db.read() as tx:
        found = editions.released(tx, newsletter_id=newsletter.id, limit=limit)
    return [next(group) for _, group in groupby(found, key=lambda e: e.issue_date)]


def latest_of(service: Service, newsletter: Newsletter) -> Edition | None:
    """Return the newest edition that readers have got."""
    return next(iter(released(service, newsletter, limit=1)), None)


def view_of(service: Service, newsletter: Newsletter, edition: Edition) -> EditionView:
    """Arrange an edition for reading."""
    with service.db.read() as tx:
        stories = editions.stories(tx, edition.id)
    return edition_view(edition, newsletter, stories)


def edition_html(service: Service, newsletter: Newsletter, edition: Edition) -> str:
    """Render an edition's stories without the page around them, for feeds."""
    view = view_of(service, newsletter, edition)
    html = render_text(
        service,
        "_edition",
        newsletter,
        view=view,
        edition=edition,
        root=service.site.base_url,
    )
    # A feed reader puts it into a page of its own language.
    language, direction = newsletter.language, newsletter.direction
    return f'<div lang="{language}" dir="{direction}">{html}</div>'


def index(request: Request) -> Response:
    """GET /archive: by year, newest first."""
    service = service_of(request)
    newsletter = choose_newsletter(request)
    found = released(service, newsletter)
    years = [
        (year, list(group))
        for year, group in groupby(found, key=lambda e: e.issue_date.year)
    ]
    others = [n for n in all_newsletters(service) if n.id != newsletter.id]
    return render(request, "archive", newsletter, years=years, others=others)


def show(request: Request) -> Response:
    """GET /archive/{newsletter}/{issue_date}."""
    service = service_of(request)
    newsletter, found, place = _find(request)
    edition = found[place]
    return render(
        request,
        "edition",
        newsletter,
        edition=edition,
        view=view_of(service, newsletter, edition),
        neighbours=Neighbours(
            older=found[place + 1] if place + 1 < len(found) else None,
            newer=found[place - 1] if place else None,
        ),
    )


def find_released(request: Request) -> tuple[Newsletter, Edition]:
    """Return the released edition that a page's address names.

    Raises:
        HTTPException: 404 where there is none.
    """
    newsletter, found, place = _find(request)
    return newsletter, found[place]


def _find(request: Request) -> tuple[Newsletter, Sequence[Edition], int]:
    newsletter = choose_newsletter(request, request.path_params["newsletter"])
    found = released(service_of(request), newsletter)
    wanted = _read_date(request.path_params["issue_date"])
    place = next((i for i, e in enumerate(found) if e.issue_date == wanted), None)
    if place is None:
        raise HTTPException(404)
    return newsletter, found, place


def _read_date(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise HTTPException(404) from None
    # fromisoformat also reads 20240512 and 2024-W19-7: one page has one address.
    if found.isoformat() != text:
        raise HTTPException(404)
    return found
