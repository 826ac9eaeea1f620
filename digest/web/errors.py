"""Designed pages for what went wrong."""

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from digest.domain.bidi import language_direction
from digest.domain.newsletters import Newsletter
from digest.web.headers import add_headers
from digest.web.pages import render, service_of
from digest.web.tongues import best_language, guess_newsletter, vary

_AFTER_SECONDS = "3600"


def gone(request: Request, newsletter: Newsletter | None) -> Response:
    """Answer a personal link that opens nothing: mistyped, or its reader is erased."""
    shown = newsletter or guess_newsletter(request)
    return vary(render(request, "error", shown, status=404, code="link"))


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
        guess_newsletter(request),
        status=error.status_code,
        code=str(error.status_code),
    )
    answer.headers.update(error.headers or {})
    return vary(answer)


def unexpected(request: Request, error: Exception) -> Response:  # noqa: ARG001 - Starlette's shape
    """Answer a fault of ours, with nothing that could fail as well."""
    templates = service_of(request).templates
    # The database may be what failed, so no newsletter is asked.
    language = best_language(request, templates.languages) or "en"
    direction = language_direction(language)
    html = templates.page("fault", language=language, context={"direction": direction})
    answer = vary(HTMLResponse(html, status_code=500))
    # The middleware that adds them is inside the one that calls this.
    add_headers(
        MutableHeaders(raw=answer.raw_headers),
        path=request.url.path,
        method=request.method,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
