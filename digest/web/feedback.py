"""How was this edition? A page with three answers and a button, without any name."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from digest.compose import opinions
from digest.domain.actor import READER
from digest.domain.opinions import MOST_CHARACTERS, Answer
from digest.web.archive import find_released
from digest.web.errors import too_many
from digest.web.forms import Form, field, read_form
from digest.web.limits import admit
from digest.web.pages import render, service_of


def show(request: Request) -> Response:
    """GET /feedback/{newsletter}/{issue_date}: the answer of the link preset."""
    return _page(request, request.query_params.get("answer", ""))


async def submit(request: Request) -> Response:
    """POST /feedback/{newsletter}/{issue_date}: count the answer."""
    form = await read_form(request)
    return await run_in_threadpool(_submit, request, form)


def _submit(request: Request, form: Form) -> Response:
    service = service_of(request)
    newsletter, edition = find_released(request)
    given = field(form, "answer")
    if given not in set(Answer):
        return _page(request, "")
    if not admit(request, "opinion"):
        return too_many(request, newsletter)
    opinions.give(
        service.db,
        edition_id=edition.id,
        answer=Answer(given),
        words=field(form, "words"),
        actor=READER,
        now=service.now(),
    )
    return _page(request, given, thanks=True)


def _page(request: Request, given: str, *, thanks: bool = False) -> Response:
    newsletter, edition = find_released(request)
    return render(
        request,
        "feedback",
        newsletter,
        edition=edition,
        given=given,
        thanks=thanks,
        most_characters=MOST_CHARACTERS,
    )
