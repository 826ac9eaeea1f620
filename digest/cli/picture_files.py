"""A picture that a person names: a web address stays one, a file is taken in."""

from pathlib import Path

from digest.bootstrap import Service
from digest.compose.pictures import take_upload
from digest.domain.webaddresses import require_url
from digest.pictures.shrink import MOST_OCTETS


def picture_url(service: Service, named: str) -> str:
    """Return the address of a picture.

    Args:
        service: The installation.
        named: A file, or an address, which is fetched with the edition.

    Raises:
        OSError: The file cannot be read.
        RefusedError: It is no picture, damaged, or beyond a limit; or the address
            is none.
    """
    if named.lower().startswith(("http://", "https://")):
        return require_url(named)
    with Path(named).open("rb") as file:
        body = file.read(MOST_OCTETS + 1)
    return take_upload(service.db, body, site=service.site, now=service.now())
