"""The page where a reader changes what they get, and asks for their data."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from digest.domain.actor import READER
from digest.domain.subscribers import LetterFormat
from digest.subscriptions import erase, preferences, sign_up
from digest.subscriptions.preferences import Preferences
from digest.web.errors import gone
from digest.web.forms import Form, field, read_form
from digest.web.pages import consent_wording, render, service_of
from digest.web.sign_up import origin_of

_Action = Callable[[Request, Preferences, Form], Response]


def show(request: Request) -> Response:
    """GET /preferences/{token}."""
    found = _look(request)
    return gone(request, None) if found is None else _page(request, found)


async def submit(request: Request) -> Response:
    """POST /preferences/{token}: one of the page's buttons."""
    form = await read_form(request)
    return await run_in_threadpool(_submit, request, form)


def _submit(request: Request, form: Form) -> Response:
    found = _look(request)
    if found is None:
        return gone(request, None)
    action = _ACTIONS.get(field(form, "action"), _save)
    return action(request, found, form)


def _look(request: Request) -> Preferences | None:
    service = service_of(request)
    return preferences.look(
        service.db,
        token=request.path_params["token"],
        secrets=service.secrets,
        now=service.now(),
    )


def _save(request: Request, found: Preferences, form: Form) -> Response:
    service = service_of(request)
    known = {section.slug for section in found.newsletter.sections}
    wanted = field(form, "format") or found.subscription.format
    after = preferences.save(
        service.db,
        token=request.path_params["token"],
        sections=tuple(s for s in form.get("sections", ()) if s in known),
        letter_format=LetterFormat.TEXT if wanted == "text" else LetterFormat.HTML,
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )
    return _page(request, after or found, done="saved")


def _pause(request: Request, found: Preferences, form: Form) -> Response:
    service = service_of(request)
    after = preferences.pause(
        service.db,
        token=request.path_params["token"],
        weeks=8 if field(form, "weeks") == "8" else 4,
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )
    return _page(request, after or found, done="paused")


def _resume(request: Request, found: Preferences, form: Form) -> Response:  # noqa: ARG001 - actions share a shape
    service = service_of(request)
    after = preferences.resume(
        service.db,
        token=request.path_params["token"],
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )
    return _page(request, after or found, done="resumed")


def _join(request: Request, found: Preferences, form: Form) -> Response:
    """Ask for another newsletter: by a confirmation, since letters get forwarded."""
    service = service_of(request)
    wanted = [n for n in found.others if n.slug == field(form, "newsletter")]
    for newsletter in wanted:
        sign_up.request(
            service.db,
            newsletter=newsletter.slug,
            address=found.address,
            origin=origin_of(request, consent_wording(service, newsletter)),
            site=service.site,
            secrets=service.secrets,
            templates=service.templates,
            actor=READER,
            now=service.now(),
        )
    return _page(request, _look(request) or found, done="asked" if wanted else "")


def _export(request: Request, found: Preferences, form: Form) -> Response:  # noqa: ARG001 - actions share a shape
    service = service_of(request)
    document = preferences.export(
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


def _delete(request: Request, found: Preferences, form: Form) -> Response:
    if not field(form, "sure"):
        return render(request, "delete", found.newsletter, found=found)
    service = service_of(request)
    erase.erase(
        service.db,
        subscriber_id=found.reader.id,
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )
    return render(request, "deleted", found.newsletter)


_ACTIONS: Mapping[str, _Action] = {
    "save": _save,
    "pause": _pause,
    "resume": _resume,
    "join": _join,
    "export": _export,
    "delete": _delete,
}


def _page(request: Request, found: Preferences, *, done: str = "") -> Response:
    return render(
        request,
        "preferences",
        found.newsletter,
        found=found,
        held=found.subscription,
        done=done,
        paused_until=_day(found.subscription.paused_until),
    )


def _day(instant: datetime | None) -> object:
    return None if instant is None else instant.date()


def _plain(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat()
