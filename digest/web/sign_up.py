"""The sign-up page, and one answer for every address."""

from datetime import timedelta
from enum import Enum, auto

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from digest.domain.actor import READER
from digest.domain.addresses import AddressError, EmailAddress, parse_address
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import Origin
from digest.domain.tokens import Purpose
from digest.subscriptions import sign_up
from digest.web.archive import latest_of
from digest.web.errors import too_many
from digest.web.forms import Form, field, read_form
from digest.web.limits import admit
from digest.web.pages import (
    all_newsletters,
    choose_newsletter,
    consent_wording,
    form_stamp,
    render,
    service_of,
)
from digest.web.timing import evenly

_LEAST_FILL_TIME = timedelta(seconds=1)
_TRAP = "website"  # a field people do not see; programs fill it


class _Stamp(Enum):
    """What a form's signed time tells."""

    RIPE = auto()  # a person had time to read our page
    FRESH = auto()  # our page was shown just now
    NONE = auto()  # not our page, or one shown long ago


def show(request: Request) -> Response:
    """GET /: what, from whom, and one field."""
    return _page(request, choose_newsletter(request))


async def submit(request: Request) -> Response:
    """POST /subscribe: the same answer, after the same time, for every address."""
    async with evenly(request):
        form = await read_form(request)
        return await run_in_threadpool(_submit, request, form)


def origin_of(request: Request, wording: str) -> Origin:
    """Return the evidence of a form: its address, the network, the words.

    The token in a path is no part of it.
    """
    site = service_of(request).site
    place = request.url.path.split("/")[1]
    # A proxy may pass on anything as the client's address.
    host = (request.client.host if request.client else "")[:64]
    return Origin(source=site.page(f"/{place}"), network=host, wording=wording)


def _submit(request: Request, form: Form) -> Response:
    newsletter = choose_newsletter(request, field(form, "newsletter"))
    text = field(form, "address").strip()
    try:
        address = parse_address(text)
    except AddressError:
        return _page(request, newsletter, form=form, typed=text, status=422)
    stamp = _read_stamp(request, form)
    if stamp is not _Stamp.RIPE:
        return _press_once_more(request, newsletter, address, form, stamp)
    # Silently: the answer is the same for every address, and for programs.
    if not field(form, _TRAP):
        if not admit(request, "sign-up"):
            return too_many(request, newsletter)
        _ask(request, newsletter, address, form)
    return render(request, "check_inbox", newsletter, address=address.address)


def _ask(
    request: Request, newsletter: Newsletter, address: EmailAddress, form: Form
) -> None:
    service = service_of(request)
    known = {section.slug for section in newsletter.sections}
    sign_up.request(
        service.db,
        newsletter=newsletter.slug,
        address=address,
        # A form pasted elsewhere may name a section that is gone by now.
        sections=tuple(s for s in form.get("sections", ()) if s in known),
        origin=origin_of(request, consent_wording(service, newsletter)),
        rules=service.settings.sign_up.rules,
        site=service.site,
        secrets=service.secrets,
        templates=service.templates,
        actor=READER,
        now=service.now(),
    )


def _read_stamp(request: Request, form: Form) -> _Stamp:
    service = service_of(request)
    now = service.now()
    stamp = service.secrets.tokens.read(Purpose.FORM, field(form, "stamp"), now=now)
    if stamp is None or stamp.expired:
        return _Stamp.NONE
    assert stamp.issued_at is not None, "a form's token has its time"
    fresh = now - stamp.issued_at < _LEAST_FILL_TIME
    return _Stamp.FRESH if fresh else _Stamp.RIPE


def _press_once_more(
    request: Request,
    newsletter: Newsletter,
    address: EmailAddress,
    form: Form,
    stamp: _Stamp,
) -> Response:
    """Answer a form of another site, an old one, or one filled in no time."""
    service = service_of(request)
    # A fresh one is kept, so that who presses again at once gets through.
    kept = field(form, "stamp") if stamp is _Stamp.FRESH else ""
    return render(
        request,
        "press_once_more",
        newsletter,
        address=address.address,
        sections=[s for s in newsletter.sections if s.slug in form.get("sections", ())],
        trapped=field(form, _TRAP),
        stamp=kept or form_stamp(service, newsletter),
    )


def _page(
    request: Request,
    newsletter: Newsletter,
    *,
    form: Form | None = None,
    typed: str = "",
    status: int = 200,
) -> Response:
    service = service_of(request)
    return render(
        request,
        "sign_up",
        newsletter,
        status=status,
        typed=typed,
        failed=form is not None,
        picked=list(form.get("sections", ())) if form else [],
        stamp=form_stamp(service, newsletter),
        latest=latest_of(service, newsletter),
        others=[n for n in all_newsletters(service) if n.id != newsletter.id],
    )
