"""The page where a reader changes what they get, by the link in a letter."""

from collections.abc import Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from digest.domain.actor import READER
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import LetterFormat
from digest.subscriptions import leaving_all, preferences, rights, sign_up
from digest.subscriptions.preferences import Held, Preferences
from digest.web.errors import gone
from digest.web.forms import Form, field, read_form
from digest.web.pages import consent_wording, render, service_of
from digest.web.sign_up import origin_of
from digest.web.timing import evenly

_MAILING = {"link", "join"}
_Action = Callable[[Request, Preferences, Form], Response]


def show(request: Request) -> Response:
    """GET /preferences/{token}."""
    found = _look(request)
    return gone(request, None) if found is None else _page(request, found)


async def submit(request: Request) -> Response:
    """POST /preferences/{token}: one of the page's buttons."""
    form = await read_form(request)
    if field(form, "action") not in _MAILING:
        return await run_in_threadpool(_submit, request, form)
    # How long it takes must not tell whether a letter is mailed (attack A9).
    async with evenly(request):
        return await run_in_threadpool(_submit, request, form)


def _submit(request: Request, form: Form) -> Response:
    found = _look(request)
    if found is None:
        return gone(request, None)
    action = _ACTIONS.get(field(form, "action"), _ignore)
    return action(request, found, form)


def _look(request: Request) -> Preferences | None:
    service = service_of(request)
    return preferences.look(
        service.db,
        token=request.path_params["token"],
        secrets=service.secrets,
        now=service.now(),
    )


def _ignore(request: Request, found: Preferences, form: Form) -> Response:  # noqa: ARG001 - actions share a shape
    """Answer a button that this page does not have."""
    return _page(request, found)


def _save(request: Request, found: Preferences, form: Form) -> Response:
    service = service_of(request)
    held = _chosen(found, form)
    if held is None:
        return _page(request, found)
    known = {section.slug for section in held.newsletter.sections}
    wanted = field(form, "format") or held.subscription.format
    after = preferences.save(
        service.db,
        token=request.path_params["token"],
        newsletter=held.newsletter.slug,
        sections=tuple(s for s in form.get("sections", ()) if s in known),
        letter_format=LetterFormat.TEXT if wanted == "text" else LetterFormat.HTML,
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )
    return _page(request, after or found, done="saved", about=held.newsletter)


def _pause(request: Request, found: Preferences, form: Form) -> Response:
    service = service_of(request)
    held = _chosen(found, form)
    if held is None:
        return _page(request, found)
    after = preferences.pause(
        service.db,
        token=request.path_params["token"],
        newsletter=held.newsletter.slug,
        weeks=8 if field(form, "weeks") == "8" else 4,
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )
    return _page(request, after or found, done="paused", about=held.newsletter)


def _resume(request: Request, found: Preferences, form: Form) -> Response:
    service = service_of(request)
    held = _chosen(found, form)
    if held is None:
        return _page(request, found)
    after = preferences.resume(
        service.db,
        token=request.path_params["token"],
        newsletter=held.newsletter.slug,
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )
    return _page(request, after or found, done="resumed", about=held.newsletter)


def _leave_all(request: Request, found: Preferences, form: Form) -> Response:  # noqa: ARG001 - actions share a shape
    service = service_of(request)
    after = leaving_all.leave_all(
        service.db,
        token=request.path_params["token"],
        origin=origin_of(request, ""),
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )
    return _page(request, after or found, done="left")


def _undo_all(request: Request, found: Preferences, form: Form) -> Response:  # noqa: ARG001 - actions share a shape
    service = service_of(request)
    after = leaving_all.undo_all(
        service.db,
        token=request.path_params["token"],
        origin=origin_of(request, ""),
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )
    return _page(request, after or found, done="back" if found.can_undo else "")


def _join(request: Request, found: Preferences, form: Form) -> Response:
    """Ask for another newsletter: by a confirmation, since letters get forwarded."""
    service = service_of(request)
    wanted = [n for n in found.others if n.slug == field(form, "newsletter")]
    for newsletter in wanted:
        sign_up.request(
            service.db,
            newsletter=newsletter.slug,
            address=found.address,
            by_holder=True,
            origin=origin_of(request, consent_wording(service, newsletter)),
            rules=service.settings.sign_up.rules,
            site=service.site,
            secrets=service.secrets,
            templates=service.templates,
            actor=READER,
            now=service.now(),
        )
    if not wanted:
        return _page(request, found)
    return _page(request, _look(request) or found, done="asked", about=wanted[0])


def _mail_link(request: Request, found: Preferences, form: Form) -> Response:  # noqa: ARG001 - actions share a shape
    """Mail a link to the address on file; the page says the same whoever asks."""
    service = service_of(request)
    rights.mail_link(
        service.db,
        subscription_id=found.subscription.id,
        site=service.site,
        secrets=service.secrets,
        templates=service.templates,
        actor=READER,
        now=service.now(),
    )
    return _page(request, found, done="mailed")


_ACTIONS: Mapping[str, _Action] = {
    "save": _save,
    "pause": _pause,
    "resume": _resume,
    "join": _join,
    "leave-all": _leave_all,
    "undo-all": _undo_all,
    "link": _mail_link,
}


def _chosen(found: Preferences, form: Form) -> Held | None:
    """Return which newsletter a button is about; by default the link's own."""
    wanted = field(form, "newsletter") or found.newsletter.slug
    return next((h for h in found.held if h.newsletter.slug == wanted), None)


def _page(
    request: Request,
    found: Preferences,
    *,
    done: str = "",
    about: Newsletter | None = None,
) -> Response:
    return render(
        request, "preferences", found.newsletter, found=found, done=done, about=about
    )
