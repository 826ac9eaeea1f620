"""Designed pages for what went wrong."""

import structlog
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from digest.domain.bidi import language_direction
from digest.domain.newsletters import Newsletter
from digest.storage.engine import TROUBLE, explain_trouble
from digest.web.headers import add_headers
from digest.web.pages import prefix_of, render, service_of
from digest.web.tongues import best_language, guess_newsletter, vary

_AFTER_SECONDS, _SOON_SECONDS = "3600", "60"
_log = structlog.get_logger()


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
    answer = _fault(request, 500)
    # The middleware that adds them is inside the one that calls this.
    add_headers(
        MutableHeaders(raw=answer.raw_headers),
        path=request.url.path,
        method=request.method,
    )
    return answer


def unavailable(request: Request, error: Exception) -> Response:
    """Answer while the database cannot: locked for long, full, or away."""
    assert isinstance(error, TROUBLE)
    # Not the whole error: it quotes what was being stored.
    _log.error("web.unavailable", reason=explain_trouble(error).message)
    answer = _fault(request, 503)
    answer.headers["Retry-After"] = _SOON_SECONDS
    return answer


def _fault(request: Request, status: int) -> Response:
    service = service_of(request)
    # The database may be what failed, so no newsletter is asked.
    language = best_language(request, service.templates.languages) or "en"
    html = service.templates.page(
        "fault",
        language=language,
        context={
            "direction": language_direction(language),
            "newsletter": None,
            "looks": "",
            "prefix": prefix_of(service),
            "status": status,
        },
    )
    answer = vary(HTMLResponse(html, status_code=status))
    answer.headers["Cache-Control"] = "no-store"
    return answer
