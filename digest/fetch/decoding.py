"""Undo Content-Encoding without ever holding more than the cap."""

import zlib
from collections.abc import Iterable

from digest.fetch.transport import FetchError

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


def read_capped(chunks: Iterable[bytes], *, encoding: str, cap: int) -> bytes:
    """Collect a body, decoded, and stop at the cap.

    Args:
        chunks: The body as it comes off the wire.
        encoding: The Content-Encoding; `gzip`, `deflate` or none (RFC 9110 §8.4.1).
        cap: The most octets to accept after decoding.

    Raises:
        FetchError: The body is larger than the cap, damaged, or in another encoding.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return _join(chunks, cap)
        case "gzip" | "x-gzip" | "deflate":
            return _join(_inflate(chunks, cap), cap)
        case other:
            raise FetchError(
                f"The server answered in the encoding {other[:40]!r}, which was not"
                " asked for.",
                "Save the page as a file and import that.",
            )


def too_large(cap: int) -> FetchError:
    """Return the error for a body beyond the cap."""
    return FetchError(
        f"The answer is larger than {cap / 1_000_000:g} MB.",
        "Give the address of a single story or feed.",
    )


def _join(chunks: Iterable[bytes], cap: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > cap:
            raise too_large(cap)
    return bytes(body)


def _inflate(chunks: Iterable[bytes], cap: int) -> Iterable[bytes]:
    # max_length bounds each step: a bomb grows a thousandfold within one chunk.
    inflater = zlib.decompressobj(wbits=_GZIP_OR_ZLIB)
    try:
        for chunk in chunks:
            yield inflater.decompress(chunk, cap + 1)
            if inflater.unconsumed_tail:
                raise too_large(cap)
    except zlib.error as error:
        raise FetchError(
            "The server's compressed answer is damaged.", "Try again later."
        ) from error
    if not inflater.eof:
        raise FetchError("The server's answer breaks off.", "Try again later.")
