"""Read a message from a connection up to its final dot, in large pieces.

aiosmtpd reads line by line: a message of ten million octets keeps every other
connection waiting for a second, and takes many times its size in memory.
"""

import asyncio
from itertools import count

_DOT = b".\r\n"
_END = b"\r\n.\r\n"
_TURN = 500  # so many pieces, then others have theirs


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
    data, is_kept, pieces = bytearray(), True, count(1)
    while not (data.endswith(_END) or data == _DOT):
        if next(pieces) % _TURN == 0:
            await asyncio.sleep(0)
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
    # Many times quicker than a pattern.
    message = bytes(data[: -len(_DOT)]).replace(b"\r\n.", b"\r\n")
    return message.removeprefix(b".")
