"""Quoted-printable (RFC 2045 §6.7), so written that relays and DKIM change nothing."""

import re

from digest.domain.errors import DigestError

# Two octets less than the line's 76: the soft break, and room to escape its start.
_ROOM = 73
_SIMPLE = re.compile(r"(?!From )[!-\-/-<>-~](?: ?[!-<>-~])*", re.ASCII)
_NEWLINES = re.compile(r"\r\n|\r|\n")
_LITERAL = {chr(c): chr(c) for c in range(0x20, 0x7F) if chr(c) != "="}


def encode(text: str) -> bytes:
    r"""Encode a piece of text that starts on a line of its own.

    White space that RFC 6376 §3.4.4 `relaxed` would touch is escaped: tabs, runs of
    spaces, spaces at a line's end. So is a dot at a line's start, which SMTP would
    double, and `From `, which mailbox files would mark (RFC 2049 §3).

    Args:
        text: Any text; LF, CR and CRLF are line ends.

    Returns:
        Lines of at most 75 octets, joined by CRLF, without one at the end; a soft
        line break may follow.

    Raises:
        DigestError: The text holds half a surrogate pair.
    """
    if len(text) <= _ROOM and _SIMPLE.fullmatch(text):
        return text.encode("ascii")
    lines = (_encode_line(line) for line in _NEWLINES.split(text))
    return "\r\n".join(lines).encode("ascii")


def _encode_line(line: str) -> str:
    rows: list[str] = []
    row = ""
    for unit in _units(line):
        if len(row) + len(unit) > _ROOM:
            rows.append(row)
            row = ""
        row += unit
    rows.append(row)
    return "=\r\n".join(map(_guard_start, rows))


def _units(line: str) -> list[str]:
    """Cut a line into what must stay together: characters, escaped or not."""
    units = [_LITERAL.get(c) or _escape(c) for c in line]
    for index, unit in enumerate(units):
        is_run = index > 0 and line[index - 1] == " "
        if unit == " " and (is_run or index == len(units) - 1):
            units[index] = "=20"
    return units


def _escape(character: str) -> str:
    try:
        octets = character.encode("utf-8")
    except UnicodeEncodeError:
        raise DigestError("The text holds half a surrogate pair.") from None
    return "".join(f"={octet:02X}" for octet in octets)


def _guard_start(row: str) -> str:
    if row.startswith((".", "From ")):
        return f"={ord(row[0]):02X}{row[1:]}"
    return row
