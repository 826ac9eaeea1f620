"""Pages that explain, and the two health checks."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from digest.storage import schema
from digest.web.pages import choose_newsletter, render, service_of


def privacy(request: Request) -> Response:
    """GET /privacy: what is stored, why and how long."""
    return render(request, "privacy", choose_newsletter(request))


def help_page(request: Request) -> Response:
    """GET /help: signing up, leaving, letters that do not come (List-Help)."""
    return render(request, "help", choose_newsletter(request))


def accessibility(request: Request) -> Response:
    """GET /accessibility: what the pages promise, and whom to tell."""
    return render(request, "accessibility", choose_newsletter(request))


def healthz(request: Request) -> Response:  # noqa: ARG001 - a route's shape
    """GET /healthz: the process is up."""
    return PlainTextResponse("up\n", headers={"Cache-Control": "no-store"})


def readyz(request: Request) -> Response:
    """GET /readyz: the database answers and has the schema of this version."""
    ready = schema.is_current(service_of(request).db)
    return PlainTextResponse(
        "ready\n" if ready else "not ready: the database\n",
        status_code=200 if ready else 503,
        headers={"Cache-Control": "no-store"},
    )
