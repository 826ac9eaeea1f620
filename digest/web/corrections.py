"""Corrections as web pages, each beside the issue it is about."""

import re
from datetime import date

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from digest.domain.editions import Edition
from digest.domain.newsletters import Newsletter
from digest.domain.states import EditionKind
from digest.storage import corrections, editions, published
from digest.web.archive import issue_date_of, published_at, view_of
from digest.web.pages import choose_newsletter, render, service_of

_NAME = re.compile(r"correction(?:-([1-9][0-9]{0,3}))?")


def show(request: Request) -> Response:
    """GET /archive/{newsletter}/{issue_date}/{correction}: `correction`, or `-2` on.

    Raises:
        HTTPException: 404 where there is none that readers have got.
    """
    service = service_of(request)
    newsletter = choose_newsletter(request, request.path_params["newsletter"])
    day = issue_date_of(request)
    named = _NAME.fullmatch(request.path_params["correction"])
    number = int(named[1] or 1) if named and named[1] != "1" else 0
    found = _find(request, newsletter, day, number)
    with service.db.read() as tx:
        issues = published.list_issues(tx, newsletter.id)
    return render(
        request,
        "correction",
        newsletter,
        edition=found,
        view=view_of(service, newsletter, found),
        published_at=published_at(found),
        address=service.site.archive_url(
            newsletter.slug, day.isoformat(), correction=number
        ),
        has_issue=any(issue.issue_date == day for issue in issues),
    )


def _find(request: Request, newsletter: Newsletter, day: date, number: int) -> Edition:
    with service_of(request).db.read() as tx:
        made = editions.of_issue(
            tx,
            newsletter_id=newsletter.id,
            kind=EditionKind.CORRECTION,
            issue_date=day,
        )
    for edition in made:
        if edition.revision == number and edition.state in corrections.PUBLIC:
            return edition
    raise HTTPException(404)
