"""`editions check --links`: whether what an issue links to can be read."""

from http import HTTPStatus

from digest.bootstrap import Service, make_fetcher
from digest.cli.face import Face
from digest.compose.finding import Finding
from digest.compose.preflight import check_alive
from digest.fetch.client import Fetcher, Limits
from digest.fetch.transport import FetchError

_LIMITS = Limits(seconds=10)


def follow_links(face: Face, service: Service, edition_id: int) -> list[Finding]:
    """Follow an edition's links, with a progress bar.

    Returns:
        A warning for each that could not be read.
    """
    fetcher = make_fetcher(service.settings, limits=_LIMITS)
    with face.progress("Following links") as bar:
        task = bar.task_ids[0]
        return check_alive(
            service.db,
            edition_id=edition_id,
            templates=service.templates,
            site=service.site,
            ask=lambda url: _ask(fetcher, url),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def _ask(fetcher: Fetcher, url: str) -> str | None:
    try:
        status = fetcher.status(url)
    except FetchError as error:
        return f"{url} cannot be read: {error.message}"
    if status < HTTPStatus.BAD_REQUEST:
        return None
    return f"{url} answers {status}."
