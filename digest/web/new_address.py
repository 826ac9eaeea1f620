"""The page behind the link in the letter to a new address; only its button agrees."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from digest.domain.actor import READER
from digest.subscriptions import moving
from digest.subscriptions.moving import Move, Moving
from digest.web.errors import gone
from digest.web.forms import read_any_form
from digest.web.pages import consent_wording, render, service_of
from digest.web.sign_up import origin_of


def show(request: Request) -> Response:
    """GET /new-address/{token}: changes nothing."""
    return _page(request, _look(request))


async def submit(request: Request) -> Response:
    """POST /new-address/{token}: letters go to that address from now on."""
    await read_any_form(request)
    return await run_in_threadpool(_submit, request)


def _submit(request: Request) -> Response:
    service = service_of(request)
    found = _look(request)
    if found.newsletter is None:
        return _page(request, found)
    done = moving.agree(
        service.db,
        token=request.path_params["token"],
        origin=origin_of(request, consent_wording(service, found.newsletter)),
        secrets=service.secrets,
        templates=service.templates,
        actor=READER,
        now=service.now(),
    )
    return _page(request, done)


def _look(request: Request) -> Moving:
    service = service_of(request)
    return moving.look(
        service.db,
        token=request.path_params["token"],
        secrets=service.secrets,
        now=service.now(),
    )


def _page(request: Request, found: Moving) -> Response:
    if found.newsletter is None:
        return gone(request, None)
    return render(
        request,
        "new_address",
        found.newsletter,
        status=410 if found.outcome is Move.OVER else 200,
        found=found,
    )
