"""A reader's data: the page behind the short-lived link that only they were mailed."""

import json
from datetime import date, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from digest.domain.actor import READER
from digest.domain.addresses import AddressError, parse_address
from digest.subscriptions import moving, rights
from digest.subscriptions.rights import Access, Door
from digest.web.errors import gone
from digest.web.forms import Form, field, read_form
from digest.web.pages import render, service_of
from digest.web.timing import evenly


def show(request: Request) -> Response:
    """GET /my-data/{token}: changes nothing."""
    return _page(request, _look(request))


async def submit(request: Request) -> Response:
    """POST /my-data/{token}: one of the page's buttons."""
    form = await read_form(request)
    # How long it takes must not tell whether a new address is known (attack A9).
    async with evenly(request):
        return await run_in_threadpool(_submit, request, form)


def _submit(request: Request, form: Form) -> Response:
    access = _look(request)
    if access.door is Door.EXPIRED and field(form, "again"):
        return _mail_link(request, access)
    if access.door is not Door.OPEN:
        return _page(request, access)
    return _act(request, access, form)


def _act(request: Request, access: Access, form: Form) -> Response:
    action = field(form, "action")
    if action == "export":
        return _export(request)
    if action == "move":
        return _move(request, access, field(form, "address").strip())
    if action == "delete":
        return _delete(request, access, sure=bool(field(form, "sure")))
    return _page(request, access)


def _look(request: Request) -> Access:
    service = service_of(request)
    return rights.look(
        service.db,
        token=request.path_params["token"],
        secrets=service.secrets,
        now=service.now(),
    )


def _mail_link(request: Request, access: Access) -> Response:
    assert access.subscription is not None, "the link was one of ours"
    service = service_of(request)
    rights.mail_link(
        service.db,
        subscription_id=access.subscription.id,
        site=service.site,
        secrets=service.secrets,
        templates=service.templates,
        actor=READER,
        now=service.now(),
    )
    return _page(request, access, mailed=True)


def _export(request: Request) -> Response:
    service = service_of(request)
    document = rights.export(
        service.db,
        token=request.path_params["token"],
        secrets=service.secrets,
        now=service.now(),
    )
    return Response(
        json.dumps(document, ensure_ascii=False, indent=2, default=_plain),
        media_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="my-data.json"'},
    )


def _move(request: Request, access: Access, typed: str) -> Response:
    try:
        address = parse_address(typed)
    except AddressError:
        return _page(request, access, typed=typed, mistake="address", status=422)
    assert access.reader is not None, "the door is open"
    if address.key == (access.reader.address or "").lower():
        return _page(request, access, typed=typed, mistake="same", status=422)
    service = service_of(request)
    moving.ask(
        service.db,
        token=request.path_params["token"],
        address=address,
        rules=service.settings.sign_up.rules,
        site=service.site,
        secrets=service.secrets,
        templates=service.templates,
        actor=READER,
        now=service.now(),
    )
    return render(
        request, "move_asked", access.newsletter, address=address.address, access=access
    )


def _delete(request: Request, access: Access, *, sure: bool) -> Response:
    if not sure:
        return render(request, "delete", access.newsletter, access=access)
    service = service_of(request)
    rights.delete(
        service.db,
        token=request.path_params["token"],
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )
    return render(request, "deleted", access.newsletter)


def _page(
    request: Request,
    access: Access,
    *,
    typed: str = "",
    mistake: str = "",
    mailed: bool = False,
    status: int = 200,
) -> Response:
    if access.door is Door.UNKNOWN:
        return gone(request, None)
    if access.door is Door.EXPIRED and not mailed:
        status = 410
    return render(
        request,
        "my_data",
        access.newsletter,
        status=status,
        access=access,
        typed=typed,
        mistake=mistake,
        mailed=mailed,
    )


def _plain(value: object) -> str:
    assert isinstance(value, (date, datetime))
    return value.isoformat()
