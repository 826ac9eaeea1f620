"""Past editions as web pages: released ones only, nothing personal in them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from digest.bootstrap import Service
from digest.compose.view import EditionView, edition_view
from digest.domain.editions import Edition
from digest.domain.newsletters import Newsletter
from digest.domain.states import EditionKind, EditionState
from digest.storage import corrections, editions, embargoes, published
from digest.storage.published import Published
from digest.web import linked_data
from digest.web.pages import (
    all_newsletters,
    choose_newsletter,
    form_stamp,
    render,
    render_text,
    service_of,
)

_YEAR = re.compile(r"[0-9]{4}")


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The issues before and after one; None at the ends."""

    older: Published | None
    newer: Published | None


def issues(service: Service, newsletter: Newsletter) -> Sequence[Published]:
    """List the issues that readers have got, newest first."""
    with service.db.read() as tx:
        return published.list_issues(tx, newsletter.id)


def released(service: Service, newsletter: Newsletter, limit: int) -> Sequence[Edition]:
    """Load what readers got last, corrections too, the latest first."""
    with service.db.read() as tx:
        listed = [i.edition_id for i in published.list_issues(tx, newsletter.id)]
        listed = [*listed[:limit], *corrections.latest(tx, newsletter.id, limit=limit)]
        found = [editions.get(tx, edition_id) for edition_id in listed]
    return sorted(found, key=published_at, reverse=True)[:limit]


def corrected(service: Service, newsletter: Newsletter) -> Sequence[Edition]:
    """Load every correction that readers have got, the latest first."""
    with service.db.read() as tx:
        listed = corrections.latest(tx, newsletter.id)
        return [editions.get(tx, edition_id) for edition_id in listed]


def latest_of(service: Service, newsletter: Newsletter) -> Edition | None:
    """Return the newest edition that readers have got."""
    with service.db.read() as tx:
        found = editions.released(tx, newsletter_id=newsletter.id, limit=1)
    return next(iter(found), None)


def view_of(service: Service, newsletter: Newsletter, edition: Edition) -> EditionView:
    """Arrange an edition for reading."""
    with service.db.read() as tx:
        stories = editions.stories(tx, edition.id)
        # Set after the release: the letters are gone, the page need not tell.
        held = embargoes.of_edition(tx, edition.id, at=service.now())
    hidden = {embargo.article_id for embargo in held}
    stories = [story for story in stories if story.article_id not in hidden]
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
    """GET /archive: the latest year."""
    return _show_year(request, choose_newsletter(request), None)


def show(request: Request) -> Response:
    """GET /archive/{newsletter}/{issue_date}: an edition; with a year, all of it."""
    service = service_of(request)
    if _YEAR.fullmatch(request.path_params["issue_date"]):
        newsletter = choose_newsletter(request, request.path_params["newsletter"])
        return _show_year(request, newsletter, int(request.path_params["issue_date"]))
    newsletter, found, place = _find(request)
    if place is None:
        return _show_recalled(request, newsletter)
    edition = _load(service, found[place])
    with service.db.read() as tx:
        told = corrections.list_released(tx, edition.id)
    view = view_of(service, newsletter, edition)
    return render(
        request,
        "edition",
        newsletter,
        edition=edition,
        view=view,
        published_at=published_at(edition),
        linked_data=linked_data.describe(
            view, newsletter, site=service.site, published_at=published_at(edition)
        ),
        stamp=form_stamp(service, newsletter),
        corrections=told,
        neighbours=Neighbours(
            older=found[place + 1] if place + 1 < len(found) else None,
            newer=found[place - 1] if place else None,
        ),
    )


def _show_recalled(request: Request, newsletter: Newsletter) -> Response:
    """Say that an issue was called back, to who follows an address in its letter.

    Raises:
        HTTPException: 404 where no issue of that date ever went out.
    """
    service, day = service_of(request), issue_date_of(request)
    with service.db.read() as tx:
        made = editions.of_issue(
            tx, newsletter_id=newsletter.id, kind=EditionKind.WEEKLY, issue_date=day
        )
        gone = [
            edition
            for edition in made
            if edition.state == EditionState.CANCELLED
            and corrections.count_readers(tx, edition.id)
        ]
        told = [c for e in gone for c in corrections.list_released(tx, e.id)]
    if not gone:
        raise HTTPException(404)
    return render(
        request, "recalled", newsletter, status=410, edition=gone[0], corrections=told
    )


def published_at(edition: Edition) -> datetime:
    """Return when an edition went to its readers."""
    return edition.released_at or edition.updated_at


def _show_year(request: Request, newsletter: Newsletter, year: int | None) -> Response:
    service = service_of(request)
    found = issues(service, newsletter)
    years = sorted({issue.issue_date.year for issue in found}, reverse=True)
    shown = year or next(iter(years), None)
    if year is not None and year not in years:
        raise HTTPException(404)
    listed = [issue for issue in found if issue.issue_date.year == shown]
    with service.db.read() as tx:
        told = corrections.by_edition(tx, [issue.edition_id for issue in listed])
    # One page has one address: the latest year is the index.
    is_index = years[:1] in ([], [shown])
    path = "/archive" if is_index else f"/archive/{newsletter.slug}/{shown}"
    return render(
        request,
        "archive",
        newsletter,
        address=service.site.page(path, newsletter.slug if is_index else None),
        year=shown,
        years=years,
        editions=listed,
        corrections=told,
        others=[n for n in all_newsletters(service) if n.id != newsletter.id],
    )


def find_released(request: Request) -> tuple[Newsletter, Edition]:
    """Return the released edition that a page's address names.

    Raises:
        HTTPException: 404 where there is none.
    """
    newsletter, found, place = _find(request)
    if place is None:
        raise HTTPException(404)
    return newsletter, _load(service_of(request), found[place])


def _load(service: Service, issue: Published) -> Edition:
    with service.db.read() as tx:
        return editions.get(tx, issue.edition_id)


def _find(request: Request) -> tuple[Newsletter, Sequence[Published], int | None]:
    newsletter = choose_newsletter(request, request.path_params["newsletter"])
    found = issues(service_of(request), newsletter)
    wanted = issue_date_of(request)
    place = next((i for i, e in enumerate(found) if e.issue_date == wanted), None)
    return newsletter, found, place


def issue_date_of(request: Request) -> date:
    """Return the issue date that a page's address names.

    Raises:
        HTTPException: 404 where it names none.
    """
    text = request.path_params["issue_date"]
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise HTTPException(404) from None
    # fromisoformat also reads 20240512 and 2024-W19-7: one page has one address.
    if found.isoformat() != text:
        raise HTTPException(404)
    return found
