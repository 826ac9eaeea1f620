"""The sign-up page, and one answer for every address."""

import asyncio
import time
from datetime import timedelta

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
from digest.web.limits import network_of
from digest.web.pages import (
    all_newsletters,
    choose_newsletter,
    consent_wording,
    render,
    service_of,
)

_LEAST_FILL_TIME = timedelta(seconds=2)
_TRAP = "website"  # a field people do not see; programs fill it


def show(request: Request) -> Response:
    """GET /: what, from whom, and one field."""
    return _page(request, choose_newsletter(request))


async def submit(request: Request) -> Response:
    """POST /subscribe: the same answer, after the same time, for every address."""
    started = time.monotonic()
    form = await read_form(request)
    answer = await run_in_threadpool(_submit, request, form)
    rest = request.app.state.answer_after - (time.monotonic() - started)
    await asyncio.sleep(max(0.0, rest))
    return answer


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
    if not _admit(request, form):
        return too_many(request, newsletter)
    text = field(form, "address").strip()
    try:
        address = parse_address(text)
    except AddressError:
        return _page(request, newsletter, form=form, typed=text, status=422)
    # Silently: the answer is the same for every address.
    mailboxes = request.app.state.mailboxes
    if not field(form, _TRAP) and mailboxes.admit(
        address.mailbox, now=service_of(request).now()
    ):
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
        site=service.site,
        secrets=service.secrets,
        templates=service.templates,
        actor=READER,
        now=service.now(),
    )


def _admit(request: Request, form: Form) -> bool:
    """Count the request; a form without our signed time has a smaller share."""
    service = service_of(request)
    now = service.now()
    stamp = service.secrets.tokens.read(Purpose.FORM, field(form, "stamp"), now=now)
    signed = (
        stamp is not None
        and not stamp.expired
        and stamp.issued_at is not None
        and now - stamp.issued_at >= _LEAST_FILL_TIME
    )
    limits = request.app.state.signed if signed else request.app.state.unsigned
    host = request.client.host if request.client else None
    admitted: bool = limits.admit(network_of(host), now=now)
    return admitted


def _page(
    request: Request,
    newsletter: Newsletter,
    *,
    form: Form | None = None,
    typed: str = "",
    status: int = 200,
) -> Response:
    service = service_of(request)
    stamp = service.secrets.tokens.issue(Purpose.FORM, newsletter.id, at=service.now())
    return render(
        request,
        "sign_up",
        newsletter,
        status=status,
        typed=typed,
        failed=form is not None,
        picked=list(form.get("sections", ())) if form else [],
        stamp=stamp,
        latest=latest_of(service, newsletter),
        others=[n for n in all_newsletters(service) if n.id != newsletter.id],
    )
