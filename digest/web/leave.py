"""One-click unsubscription (RFC 8058) and its page.

The token is read from the path alone, never from the body; no cookie, no origin and
no form field is asked for; a link that is not ours is answered like one that is.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from digest.domain.actor import READER
from digest.domain.newsletters import Newsletter
from digest.domain.opinions import LeavingReason
from digest.subscriptions import leave, reasons
from digest.subscriptions.leave import Standing
from digest.subscriptions.leaving import Leave
from digest.web.forms import field, read_any_form
from digest.web.limits import admit
from digest.web.pages import render, service_of
from digest.web.sign_up import origin_of
from digest.web.tongues import guess_newsletter, vary


def show(request: Request) -> Response:
    """GET /u/{token}: a page with a button; changes nothing."""
    found = _look(request)
    return _page(request, found, left=found is not None and found.has_left)


async def submit(request: Request) -> Response:
    """POST /u/{token}: leave at once; 200 whatever the body is (§3.1, §3.2)."""
    form = await read_any_form(request)
    if field(form, "undo"):
        return await run_in_threadpool(_undo, request)
    wish = Leave(token=request.path_params["token"], origin=origin_of(request, ""))
    await request.app.state.leavers.leave(wish)
    if field(form, "page"):
        return await run_in_threadpool(_left, request, field(form, "reason"))
    return PlainTextResponse("Unsubscribed.\n")


def _left(request: Request, reason: str) -> Response:
    if reason not in set(LeavingReason):
        return _page(request, _look(request), left=True)
    service = service_of(request)
    # Silently: who left owes nobody an answer, and gets no refusal for one.
    if admit(request, "reason"):
        reasons.give(
            service.db,
            token=request.path_params["token"],
            reason=LeavingReason(reason),
            secrets=service.secrets,
            now=service.now(),
        )
    return _page(request, _look(request), left=True, reason_given=True)


def _undo(request: Request) -> Response:
    service = service_of(request)
    standing = leave.undo(
        service.db,
        token=request.path_params["token"],
        origin=origin_of(request, ""),
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )
    left = standing is None or standing.has_left
    return _page(request, standing, left=left, undone=not left)


def _look(request: Request) -> Standing | None:
    service = service_of(request)
    return leave.look(
        service.db,
        token=request.path_params["token"],
        secrets=service.secrets,
        now=service.now(),
    )


def _page(
    request: Request,
    standing: Standing | None,
    *,
    left: bool,
    reason_given: bool = False,
    undone: bool = False,
) -> Response:
    answer = render(
        request,
        "leave",
        _newsletter(request, standing),
        standing=standing,
        left=left,
        reason_given=reason_given,
        undone=undone,
    )
    return answer if standing else vary(answer)


def _newsletter(request: Request, standing: Standing | None) -> Newsletter | None:
    if standing is not None:
        return standing.newsletter
    return guess_newsletter(request)
