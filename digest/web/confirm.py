"""The page behind the link of a confirmation letter; only its buttons act."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from digest.domain.actor import READER
from digest.subscriptions import asking_again, declining, opt_in
from digest.subscriptions.opt_in import Confirmation, OptIn
from digest.web.archive import latest_of
from digest.web.errors import gone
from digest.web.forms import Form, field, read_any_form
from digest.web.pages import consent_wording, render, service_of
from digest.web.sign_up import origin_of


def show(request: Request) -> Response:
    """GET /confirm/{token}: changes nothing, since mail scanners follow links."""
    service = service_of(request)
    found = opt_in.look(
        service.db,
        token=request.path_params["token"],
        secrets=service.secrets,
        now=service.now(),
    )
    return _page(request, found)


async def submit(request: Request) -> Response:
    """POST /confirm/{token}: confirm, or ask for a new link."""
    form = await read_any_form(request)
    return await run_in_threadpool(_submit, request, form)


def _submit(request: Request, form: Form) -> Response:
    if field(form, "again"):
        return _send_again(request)
    if field(form, "never"):
        return _decline(request)
    if field(form, "undo"):
        return _take_back(request)
    service = service_of(request)
    found = opt_in.look(
        service.db,
        token=request.path_params["token"],
        secrets=service.secrets,
        now=service.now(),
    )
    if found.newsletter is None:
        return _page(request, found)
    done = opt_in.confirm(
        service.db,
        token=request.path_params["token"],
        origin=origin_of(request, consent_wording(service, found.newsletter)),
        site=service.site,
        secrets=service.secrets,
        templates=service.templates,
        actor=READER,
        now=service.now(),
    )
    return _page(request, done)


def _decline(request: Request) -> Response:
    service = service_of(request)
    done = declining.decline(
        service.db,
        token=request.path_params["token"],
        origin=origin_of(request, ""),
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )
    return _page(request, done)


def _take_back(request: Request) -> Response:
    service = service_of(request)
    done = declining.take_back(
        service.db,
        token=request.path_params["token"],
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )
    return _page(request, done)


def _send_again(request: Request) -> Response:
    service = service_of(request)
    newsletter = asking_again.send_again(
        service.db,
        token=request.path_params["token"],
        origin=origin_of(request, ""),
        rules=service.settings.sign_up.rules,
        site=service.site,
        secrets=service.secrets,
        templates=service.templates,
        actor=READER,
        now=service.now(),
    )
    if newsletter is None:
        return gone(request, None)
    return render(request, "check_inbox", newsletter, address="")


def _page(request: Request, found: Confirmation) -> Response:
    if found.newsletter is None:
        return gone(request, None)
    return render(
        request,
        "confirm",
        found.newsletter,
        status=410 if found.outcome is OptIn.EXPIRED else 200,
        outcome=found.outcome.value,
        preferences_token=found.preferences_token,
        latest=latest_of(service_of(request), found.newsletter),
    )
