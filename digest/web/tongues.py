"""Which language a page speaks that no newsletter is named for."""

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from digest.domain.newsletters import Newsletter
from digest.web.pages import all_newsletters, service_of


def guess_newsletter(request: Request) -> Newsletter | None:
    """Return the newsletter that an error or a lost link is most likely about.

    That is the one the address names, else the first one in a language the browser
    asks for, else the first one; None where there is none.
    """
    every = all_newsletters(service_of(request))
    slugs = {newsletter.slug: newsletter for newsletter in every}
    named = (
        request.path_params.get("newsletter"),
        request.query_params.get("newsletter"),
    )
    for slug in named:
        if slug in slugs:
            return slugs[slug]
    wanted = best_language(request, (n.language for n in every))
    return next((n for n in every if n.language == wanted), None)


def best_language(request: Request, known: Iterable[str]) -> str | None:
    """Return which of some languages a browser likes best (RFC 9110 §12.5.4).

    Args:
        request: Its Accept-Language is looked at; malformed parts are passed over.
        known: BCP 47 tags, the usual one first; an ar-EG serves who asks for ar.
    """
    tags = list(known)
    header = request.headers.get("Accept-Language", "")
    weighed = sorted(map(_weigh, header.split(",")), key=lambda pair: -pair[1])
    for language, weight in weighed:
        for tag in tags:
            if weight > 0 and _primary(tag) == language:
                return tag
    return next(iter(tags), None)


def vary(response: Response) -> Response:
    """Tell caches that the answer depends on the languages a browser asks for."""
    response.headers["Vary"] = "Accept-Language"
    return response


def _weigh(part: str) -> tuple[str, float]:
    tag, _, parameter = part.partition(";")
    name, _, value = parameter.partition("=")
    try:
        weight = float(value) if name.strip() == "q" else 1.0
    except ValueError:
        weight = 0.0
    return _primary(tag.strip()), weight


def _primary(tag: str) -> str:
    return tag.partition("-")[0].lower()
