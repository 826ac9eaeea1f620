"""The desk's page of one edition: look at it, approve it, hold it, change its words.

The link in the desk's mail opens it, without an account; only its buttons act.
"""

from datetime import datetime
from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from digest.compose.preview import preview
from digest.domain.issue import write_moment
from digest.domain.slots import Slot, split
from digest.domain.states import DeliveryState, EditionState
from digest.storage import deliveries
from digest.timetable.reviewing import Access, Door, enter
from digest.web import review_acts
from digest.web.errors import gone
from digest.web.forms import Form, field, read_form
from digest.web.pages import digits_of, render, service_of
from digest.web.review_acts import NOTHING, Outcome

# A letter brings its own styles, and must not act with this page's rights.
_LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; sandbox allow-popups"
)
_AT_THE_POST = {EditionState.SENDING, EditionState.PAUSED, EditionState.SENT}


def show(request: Request) -> Response:
    """GET /review/{token}: changes nothing."""
    return _page(request, _enter(request), NOTHING)


async def submit(request: Request) -> Response:
    """POST /review/{token}: one of the page's buttons."""
    form = await read_form(request)
    return await run_in_threadpool(_submit, request, form)


def show_letter(request: Request) -> Response:
    """GET /review/{token}/letter: the letter as readers would get it now."""
    access = _enter(request)
    if access.door is not Door.OPEN:
        return _page(request, access, NOTHING)
    html, _ = _render(request, access)
    return HTMLResponse(html, headers={"Content-Security-Policy": _LETTER_POLICY})


def show_text(request: Request) -> Response:
    """GET /review/{token}/text: its plain text."""
    access = _enter(request)
    if access.door is not Door.OPEN:
        return _page(request, access, NOTHING)
    return PlainTextResponse(_render(request, access)[1])


def _enter(request: Request) -> Access:
    service = service_of(request)
    return enter(
        service.db,
        token=request.path_params["token"],
        secrets=service.secrets,
        now=service.now(),
    )


def _submit(request: Request, form: Form) -> Response:
    access = _enter(request)
    if access.door is Door.UNKNOWN:
        return gone(request, None)
    service = service_of(request)
    if access.door is Door.EXPIRED:
        again = review_acts.mail_link(service, access) if field(form, "again") else ""
        return _page(request, access, Outcome(done=again))
    outcome = review_acts.act(service, access, form)
    return _page(request, _enter(request), outcome)


def _page(request: Request, access: Access, outcome: Outcome) -> Response:
    if access.door is Door.UNKNOWN:
        return gone(request, None)
    assert access.edition is not None, "the door is known"
    assert access.timing is not None, "the door is known"
    service = service_of(request)
    if access.door is Door.EXPIRED:
        status = 200 if outcome.done else 410
        return render(
            request,
            "review_expired",
            access.newsletter,
            status=status,
            edition=access.edition,
            mailed=bool(outcome.done),
        )
    found = service.look(access.edition.id)
    with service.db.read() as tx:
        letters = deliveries.counts(tx, access.edition.id, since=service.now()).by_state
    return render(
        request,
        "review",
        access.newsletter,
        status=outcome.status,
        access=access,
        found=found,
        edition=found.edition,
        timing=access.timing,
        is_late=access.timing.is_late(service.now()),
        is_posted=found.edition.state in _AT_THE_POST,
        moment=lambda at: _moment(access, at),
        letters={state.value: letters.get(state, 0) for state in DeliveryState},
        path=f"/review/{request.path_params['token']}",
        outcome=outcome,
    )


def _moment(access: Access, at: datetime) -> str:
    assert access.newsletter is not None, "the door is known"
    assert access.timing is not None, "the door is known"
    return write_moment(
        at,
        zone=access.timing.zone,
        language=access.newsletter.language,
        digits=digits_of(access.newsletter),
    )


def _render(request: Request, access: Access) -> tuple[str, str]:
    """Render the letter and its text, for nobody in particular."""
    assert access.edition is not None, "the door is open"
    assert access.review is not None, "the door is open"
    service = service_of(request)
    made = preview(
        service.db,
        edition_id=access.edition.id,
        templates=service.templates,
        site=service.site,
    )
    values = dict.fromkeys(Slot, "preview")
    values[Slot.ADDRESS] = access.review.address
    values[Slot.CONFIRMED_ON] = "…"
    assert made.variant.html is not None, "a preview has both parts"
    safe = {slot: escape(value) for slot, value in values.items()}
    return _fill(made.variant.html, safe), _fill(made.variant.text, values)


def _fill(rendering: str, values: dict[Slot, str]) -> str:
    pieces = split(rendering)
    return "".join(values[p] if isinstance(p, Slot) else p for p in pieces)
