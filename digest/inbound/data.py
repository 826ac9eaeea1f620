"""Read a message from a connection up to its final dot, in large pieces.

aiosmtpd reads line by line: a message of ten million octets keeps every other
connection waiting for a second, and takes many times its size in memory.
"""

import asyncio
import re

_DOT = b".\r\n"
_END = b"\r\n.\r\n"
_STUFFED = re.compile(rb"(\A|\r\n)\.")


async def read_data(reader: asyncio.StreamReader, *, most: int) -> bytes | None:
    """Read what follows DATA (RFC 5321 §4.1.1.4), and undo its dots (§4.5.2).

    Only CR LF . CR LF ends it, whatever stands alone before (§2.3.8, attack A5).

    Args:
        reader: It stands behind the line DATA.
        most: Octets, those that stuff dots among them; a message with more is read
            to its end, and not kept.

    Returns:
        The message; None: it is too large.

    Raises:
        asyncio.IncompleteReadError: The connection ended before.
    """
    data, is_kept = bytearray(), True
    while not (data.endswith(_END) or data == _DOT):
        if len(data) > most + len(_DOT):
            is_kept = False
        if not is_kept:
            del data[: -len(_END)]
        try:
            # Few lines end so: it is looked at again only where it may be the end.
            data += await reader.readuntil(_DOT)
        except asyncio.LimitOverrunError as found:
            data += await reader.read(found.consumed)
    if not is_kept or len(data) > most + len(_DOT):
        return None
    return _STUFFED.sub(rb"\1", data[: -len(_DOT)])
