"""Messages: header fields and a body prepared once, of which each letter is a join."""

import html as html_module
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from digest.domain.errors import DigestError
from digest.mail.fields import Field, mailbox, write_fields
from digest.mail.quoted import encode

__all__ = [
    "Field",
    "Piece",
    "PreparedBody",
    "SlotName",
    "format_date",
    "mailbox",
    "prepare_body",
    "write_fields",
]

_BOUNDARY_CHARACTERS = frozenset(
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'()+_,-./:=?"
)
_LONGEST_BOUNDARY = 70 - len("=_")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


@dataclass(frozen=True)
class SlotName:
    """A hole in a text, filled for each letter."""

    name: str


Piece = str | SlotName


@dataclass(frozen=True)
class _Hole:
    """A slot's place in a body: its name, and whether its value goes into HTML."""

    name: str
    escaped: bool


class PreparedBody:
    """A body encoded once; a letter's own body is its bytes with the holes filled.

    Attributes:
        content_fields: MIME-Version, Content-Type, Content-Transfer-Encoding and
            Content-Language, for the letter's header.
    """

    def __init__(
        self, content_fields: tuple[Field, ...], parts: Iterable[bytes | _Hole]
    ) -> None:
        self.content_fields = content_fields
        joined = _join_literals(parts)
        self._template = [b"" if isinstance(p, _Hole) else p for p in joined]
        places = [(i, p) for i, p in enumerate(joined) if isinstance(p, _Hole)]
        # Each name with where its value goes as it is, and where as HTML.
        self._holes = [
            (
                name,
                [i for i, hole in places if hole == _Hole(name, escaped=False)],
                [i for i, hole in places if hole == _Hole(name, escaped=True)],
            )
            for name in sorted({hole.name for _, hole in places})
        ]

    def fill(self, values: Mapping[str, str]) -> bytes:
        """Write the body of one letter.

        Args:
            values: The text of each slot, by name.

        Returns:
            The body: CRLF line endings, lines of at most 76 octets, no line that
            starts with a dot. RFC 6376 §3.4.4 `relaxed` changes nothing in it.

        Raises:
            KeyError: A slot has no value.
            DigestError: A value holds half a surrogate pair.
        """
        parts = self._template.copy()
        for name, plain, escaped in self._holes:
            value = values[name]
            encoded = encode(value)
            for index in plain:
                parts[index] = encoded
            if escaped and (markup := html_module.escape(value)) != value:
                encoded = encode(markup)
            for index in escaped:
                parts[index] = encoded
        body = b"".join(parts)
        # Only a slot without a value at the very end leaves an empty last line.
        while body.endswith(b"\r\n\r\n"):
            body = body[:-2]
        return body


def prepare_body(
    *, text: Sequence[Piece], html: Sequence[Piece] | None, boundary: str, language: str
) -> PreparedBody:
    """Encode a variant's two parts to quoted-printable, once for all its letters.

    A soft line break stands before and after each slot, so that its value starts a
    line of its own and no literal byte depends on it.

    Args:
        text: The plain-text part; its line ends may be LF, CR or CRLF.
        html: The HTML part; its slots' values are HTML-escaped. None: text alone.
        boundary: At most 68 of RFC 2046's boundary characters; `=_` is put before
            it, which quoted-printable never writes, so no part can contain it.
        language: BCP 47 tag.

    Returns:
        The prepared body: multipart/alternative, text first (RFC 2046 §5.1.4), or
        text/plain alone.

    Raises:
        DigestError: The text part is empty, the boundary is not one, or a part
            holds half a surrogate pair.
    """
    if not any(isinstance(p, SlotName) or p.strip() for p in text):
        raise DigestError("The letter's text part is empty.", "Write one.")
    plain = _encode_part(text, escaped=False)
    if html is None:
        return PreparedBody(
            _content_fields('text/plain; charset="utf-8"', language), plain
        )
    mark = _check_boundary(boundary)
    return PreparedBody(
        _content_fields(f'multipart/alternative; boundary="{mark}"', language, "7bit"),
        [
            *_open_part(mark, "text/plain"),
            *plain,
            *_open_part(mark, "text/html"),
            *_encode_part(html, escaped=True),
            f"--{mark}--\r\n".encode("ascii"),
        ],
    )


def format_date(at: datetime) -> str:
    """Write a moment as RFC 5322 §3.3 wants it, in UTC: `… 19:00:00 +0000`."""
    utc = at.astimezone(UTC)
    return (
        f"{_DAYS[utc.weekday()]}, {utc.day:02} {_MONTHS[utc.month - 1]} {utc.year:04}"
        f" {utc:%H:%M:%S} +0000"
    )


def _content_fields(
    content_type: str, language: str, encoding: str = "quoted-printable"
) -> tuple[Field, ...]:
    return (
        ("MIME-Version", "1.0"),
        ("Content-Type", content_type),
        ("Content-Transfer-Encoding", encoding),
        ("Content-Language", language),
    )


def _check_boundary(boundary: str) -> str:
    """RFC 2046 §5.1.1, without the space it allows inside."""
    if not 1 <= len(
        boundary
    ) <= _LONGEST_BOUNDARY or not _BOUNDARY_CHARACTERS.issuperset(boundary):
        raise DigestError(f"{boundary!r} is not a MIME boundary.")
    return f"=_{boundary}"


def _open_part(mark: str, content_type: str) -> list[bytes]:
    return [
        f"--{mark}\r\n".encode("ascii"),
        f'Content-Type: {content_type}; charset="utf-8"\r\n'.encode("ascii"),
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n",
    ]


def _encode_part(pieces: Sequence[Piece], *, escaped: bool) -> Iterable[bytes | _Hole]:
    """Encode literals and mark holes; the part ends with exactly one CRLF."""
    whole = _join_pieces(pieces)
    if whole and isinstance(last := whole[-1], str):
        whole[-1] = last.rstrip("\r\n")
    for piece in whole:
        if isinstance(piece, SlotName):
            yield b"=\r\n"
            yield _Hole(piece.name, escaped)
            yield b"=\r\n"
        else:
            yield encode(piece)
    yield b"\r\n"


def _join_pieces(pieces: Sequence[Piece]) -> list[Piece]:
    """Join neighbouring texts, since each starts a line of its own when encoded."""
    joined: list[Piece] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if isinstance(piece, str) and isinstance(last, str):
            joined[-1] = last + piece
        else:
            joined.append(piece)
    return joined


def _join_literals(parts: Iterable[bytes | _Hole]) -> list[bytes | _Hole]:
    joined: list[bytes | _Hole] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, bytes) and isinstance(last, bytes):
            joined[-1] = last + part
        else:
            joined.append(part)
    return joined
