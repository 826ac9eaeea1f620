"""Pictures by their content: what one address shows never changes."""

import re

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from digest.domain.pictures import MEDIA_TYPES, PictureKind
from digest.storage import pictures
from digest.web.pages import is_known, service_of

_NAME = re.compile(r"([0-9a-f]{64})\.(jpg|png)")
_YEAR = 365 * 24 * 60 * 60


def show(request: Request) -> Response:
    """GET /pictures/{name}; the query does not count."""
    found = _NAME.fullmatch(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    file_hash, kind = found[1], PictureKind(found[2])
    headers = {
        "ETag": f'"{file_hash}"',
        "Cache-Control": f"public, max-age={_YEAR}, immutable",
        # Web mail may show it, whatever isolation it asks for.
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    with service_of(request).db.read() as tx:
        if is_known(request, headers["ETag"]):
            if pictures.is_there(tx, file_hash, kind):
                return Response(status_code=304, headers=headers)
            raise HTTPException(404)
        body = pictures.load(tx, file_hash, kind)
    if body is None:
        raise HTTPException(404)
    return Response(body, media_type=MEDIA_TYPES[kind], headers=headers)
