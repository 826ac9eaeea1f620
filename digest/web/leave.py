"""One-click unsubscription (RFC 8058) and its page.

The token is read from the path alone, never from the body; no cookie, no origin and
no form field is asked for; a link that is not ours is answered like one that is.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from digest.domain.actor import READER
from digest.domain.newsletters import Newsletter
from digest.subscriptions import leave
from digest.subscriptions.leave import Standing
from digest.web.forms import Form, field, read_any_form
from digest.web.pages import render, service_of
from digest.web.sign_up import origin_of
from digest.web.tongues import guess_newsletter, vary


def show(request: Request) -> Response:
    """GET /u/{token}: a page with a button; changes nothing."""
    service = service_of(request)
    found = leave.look(
        service.db,
        token=request.path_params["token"],
        secrets=service.secrets,
        now=service.now(),
    )
    return _page(request, found, left=found is not None and found.has_left)


async def submit(request: Request) -> Response:
    """POST /u/{token}: leave at once; 200 whatever the body is (§3.1, §3.2)."""
    form = await read_any_form(request)
    return await run_in_threadpool(_submit, request, form)


def _submit(request: Request, form: Form) -> Response:
    service = service_of(request)
    act = leave.undo if field(form, "undo") else leave.by_token
    standing = act(
        service.db,
        token=request.path_params["token"],
        origin=origin_of(request, ""),
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )
    if field(form, "undo"):
        left = standing is None or standing.has_left
        return _page(request, standing, left=left, undone=not left)
    if field(form, "page"):
        return _page(request, standing, left=True, just_now=True)
    return PlainTextResponse("Unsubscribed.\n")


def _page(
    request: Request,
    standing: Standing | None,
    *,
    left: bool,
    just_now: bool = False,
    undone: bool = False,
) -> Response:
    answer = render(
        request,
        "leave",
        _newsletter(request, standing),
        standing=standing,
        left=left,
        just_now=just_now,
        undone=undone,
    )
    return answer if standing else vary(answer)


def _newsletter(request: Request, standing: Standing | None) -> Newsletter | None:
    if standing is not None:
        return standing.newsletter
    return guess_newsletter(request)
