"""Read forms, within limits of size and time."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence

from starlette.exceptions import HTTPException
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

MOST_OCTETS = 16 * 1024
SECONDS = 10.0

Form = Mapping[str, Sequence[str]]


async def read_form(request: Request) -> Form:
    """Read a form, urlencoded or multipart; any other body is an empty form.

    Raises:
        HTTPException: 413 over 16 KiB, 408 over 10 s, 400 for a malformed body.
    """
    try:
        async with asyncio.timeout(SECONDS):
            return await _parse(request, await _read(request))
    except TimeoutError:
        raise HTTPException(408) from None
    except (MultiPartException, ClientDisconnect, ValueError, LookupError):
        raise HTTPException(400) from None


async def read_any_form(request: Request) -> Form:
    """Read a form whose absence or damage does not matter (RFC 8058 §3.2)."""
    try:
        return await read_form(request)
    except HTTPException:
        return {}


def field(form: Form, name: str) -> str:
    """Return a field's first value; empty where there is none."""
    return form[name][0] if form.get(name) else ""


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_OCTETS:
            raise HTTPException(413)
    return bytes(body)


async def _parse(request: Request, body: bytes) -> Form:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body
        yield b""

    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        # Files are refused: no form of ours has one.
        found = await MultiPartParser(
            request.headers, stream(), max_files=0, max_fields=50
        ).parse()
    elif kind == "application/x-www-form-urlencoded":
        found = await FormParser(request.headers, stream()).parse()
    else:
        return {}
    form: dict[str, list[str]] = {}
    for name, value in found.multi_items():
        text = str(value)
        text.encode()  # ValueError: a declared charset can yield lone surrogates
        form.setdefault(name, []).append(text)
    return form
