"""The web application: a list of routes, one middleware, error pages."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from digest.bootstrap import Service
from digest.storage.engine import TROUBLE
from digest.web import (
    archive,
    confirm,
    corrections,
    errors,
    feedback,
    feeds,
    information,
    leave,
    looks,
    new_address,
    pictures,
    preferences,
    review,
    rights,
    sign_up,
)
from digest.web.grouping import Leavers
from digest.web.headers import HeadersMiddleware
from digest.web.hosts import HostsMiddleware

_STATIC = Path(__file__).parent / "static"
# Longer than a sign-up takes, so that the time tells nothing about an address (A9).
_ANSWER_AFTER = 0.25


def make_app(service: Service, *, answer_after: float = _ANSWER_AFTER) -> Starlette:
    """Build the public pages.

    Links come from `service.site`, never from a request's Host (attack A10).

    Args:
        service: The installation.
        answer_after: The least seconds a sign-up's answer takes.
    """
    app = Starlette(
        routes=_routes(),
        middleware=[
            Middleware(HeadersMiddleware),
            Middleware(
                HostsMiddleware,
                base_url=service.site.base_url,
                trusted=service.settings.web.trusted_hosts,
            ),
        ],
        exception_handlers={
            HTTPException: errors.http_error,
            **dict.fromkeys(TROUBLE, errors.unavailable),
            Exception: errors.unexpected,
        },
    )
    # RFC 8058 §3.1: one-click must never be answered with a redirect.
    app.router.redirect_slashes = False
    app.state.service = service
    app.state.answer_after = answer_after
    app.state.leavers = Leavers(service)
    return app


def _routes() -> list[BaseRoute]:
    return [
        Route("/", sign_up.show),
        Route("/subscribe", sign_up.submit, methods=["POST"]),
        _two_way("/confirm/{token}", confirm.show, confirm.submit),
        _two_way("/u/{token}", leave.show, leave.submit),
        _two_way("/preferences/{token}", preferences.show, preferences.submit),
        _two_way("/my-data/{token}", rights.show, rights.submit),
        _two_way("/new-address/{token}", new_address.show, new_address.submit),
        _two_way("/review/{token}", review.show, review.submit),
        Route("/review/{token}/letter", review.show_letter),
        Route("/review/{token}/text", review.show_text),
        Route("/archive", archive.index),
        Route("/archive/{newsletter}/{issue_date}", archive.show),
        Route("/archive/{newsletter}/{issue_date}/{correction}", corrections.show),
        Route("/pictures/{name}", pictures.show),
        Route("/looks/{newsletter}.css", looks.show),
        _two_way("/feedback/{newsletter}/{issue_date}", feedback.show, feedback.submit),
        Route("/feed.xml", feeds.rss),
        Route("/feed.json", feeds.json_feed),
        Route("/sitemap.xml", feeds.sitemap),
        Route("/robots.txt", feeds.robots),
        Route("/privacy", information.privacy),
        Route("/help", information.help_page),
        Route("/accessibility", information.accessibility),
        Route("/healthz", information.healthz),
        Route("/readyz", information.readyz),
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]


def _two_way(
    path: str,
    show: Callable[[Request], Response],
    submit: Callable[[Request], Awaitable[Response]],
) -> Route:
    """Make one route of a page and its form, so that a 405 names both methods."""

    async def answer(request: Request) -> Response:
        if request.method == "POST":
            return await submit(request)
        return await run_in_threadpool(show, request)

    return Route(path, answer, methods=["GET", "POST"])
