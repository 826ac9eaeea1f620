"""Designed pages for what went wrong."""

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from digest.domain.newsletters import Newsletter
from digest.web.headers import add_headers
from digest.web.pages import all_newsletters, render, service_of

_AFTER_SECONDS = "3600"


def gone(request: Request, newsletter: Newsletter | None) -> Response:
    """Answer a personal link that opens nothing: mistyped, or its reader is erased."""
    shown = newsletter or _first(request)
    return render(request, "error", shown, status=404, code="link")


def too_many(request: Request, newsletter: Newsletter) -> Response:
    """Answer a network that signs up too often."""
    answer = render(request, "error", newsletter, status=429, code="429")
    answer.headers["Retry-After"] = _AFTER_SECONDS
    return answer


def http_error(request: Request, error: Exception) -> Response:
    """Answer what a route or the router refused."""
    assert isinstance(error, HTTPException)
    answer = render(
        request,
        "error",
        _first(request),
        status=error.status_code,
        code=str(error.status_code),
    )
    answer.headers.update(error.headers or {})
    return answer


def unexpected(request: Request, error: Exception) -> Response:  # noqa: ARG001 - Starlette's shape
    """Answer a fault of ours, with nothing that could fail as well."""
    templates = service_of(request).templates
    html = templates.page(
        "fault", language="en", context={"newsletter": None, "direction": "ltr"}
    )
    answer = HTMLResponse(html, status_code=500)
    # The middleware that adds them is inside the one that calls this.
    add_headers(
        MutableHeaders(raw=answer.raw_headers),
        path=request.url.path,
        method=request.method,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _first(request: Request) -> Newsletter | None:
    return next(iter(all_newsletters(service_of(request))), None)
