"""Take a message that strangers wrote apart, within limits, in linear time.

Any octets have a reading: what is malformed is text, never an error. Only a message
beyond the limits is not read at all. Line endings are CRLF, LF or CR; the reading is
the same (RFC 5322 §2.1, RFC 2046 §5.1).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

MOST_PARTS = 200
MOST_DEPTH = 20
MOST_HEADER_OCTETS = 128 * 1024
MOST_FIELDS = 1000

_PARAMETER = re.compile(rb';\s*([^\s;="]+)\s*=\s*(?:"([^"]*)"|([^\s;"]*))')
_PARAMETERS_END = 4000
_FIELD_NAME = re.compile(rb"[!-9;-~]{1,200}")


class ExcessError(Exception):
    """A message is beyond a limit; the text says which."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A message, or a part of one.

    Attributes:
        fields: Name in lower case and unfolded value, in order, undecoded.
        content_type: `type/subtype`, lower case.
        parameters: Of Content-Type; names in lower case.
        body: What follows the header, lines ended by LF, still encoded.
        parts: Of a multipart, or the one message within a message/rfc822.
    """

    fields: Sequence[tuple[str, bytes]]
    content_type: str = "text/plain"
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    parts: Sequence["Part"] = ()

    def all(self, name: str) -> list[bytes]:
        """Return every value of a field."""
        return [value for known, value in self.fields if known == name]

    def first(self, name: str) -> bytes:
        """Return a field's first value; empty where there is none."""
        return next(iter(self.all(name)), b"")

    def walk(self) -> Iterator["Part"]:
        """Return this part and all within it, in order."""
        yield self
        for part in self.parts:
            yield from part.walk()


def parse(raw: bytes) -> Part:
    """Take a message apart.

    Args:
        raw: Header and body.

    Raises:
        ExcessError: It has too many parts, too deep ones, or too large a header.
    """
    text = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return _Reader().read(text, depth=1, default="text/plain")


class _Reader:
    """Counts what one message is made of."""

    def __init__(self) -> None:
        self._parts = 0
        self._header_octets = 0

    def read(self, text: bytes, *, depth: int, default: str) -> Part:
        self._count(depth)
        head, body = _split(text)
        self._header_octets += len(head)
        if self._header_octets > MOST_HEADER_OCTETS:
            raise ExcessError("its header is too large")
        fields = _read_fields(head)
        declared = next((v for name, v in fields if name == "content-type"), b"")
        content_type, parameters = _read_content_type(declared, default)
        return Part(
            fields=fields,
            content_type=content_type,
            parameters=parameters,
            body=body,
            parts=tuple(self._read_parts(content_type, parameters, body, depth)),
        )

    def _count(self, depth: int) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise ExcessError("it has too many parts")
        if depth > MOST_DEPTH:
            raise ExcessError("its parts lie too deep within each other")

    def _read_parts(
        self, content_type: str, parameters: Mapping[str, str], body: bytes, depth: int
    ) -> Iterator[Part]:
        if content_type in {"message/rfc822", "message/global"}:
            yield self.read(body, depth=depth + 1, default="text/plain")
            return
        boundary = parameters.get("boundary", "")
        if not (content_type.startswith("multipart/") and boundary):
            return
        # RFC 2046 §5.1.5: within a digest a part is a message unless it says else
        is_digest = content_type == "multipart/digest"
        default = "message/rfc822" if is_digest else "text/plain"
        for piece in _cut(body, boundary.encode("latin-1", "replace")):
            yield self.read(piece, depth=depth + 1, default=default)


def _split(text: bytes) -> tuple[bytes, bytes]:
    if text.startswith(b"\n"):
        return b"", text[1:]
    head, _, body = text.partition(b"\n\n")
    return head, body


def _read_fields(head: bytes) -> list[tuple[str, bytes]]:
    fields: list[tuple[str, list[bytes]]] = []
    for line in head.split(b"\n"):
        if line[:1] in {b" ", b"\t"}:
            if fields:
                fields[-1][1].append(line.strip())
            continue
        name, colon, value = line.partition(b":")
        if colon and _FIELD_NAME.fullmatch(name.rstrip()):
            fields.append((name.rstrip().decode("ascii").lower(), [value.strip()]))
    if len(fields) > MOST_FIELDS:
        raise ExcessError("its header has too many fields")
    return [(name, b" ".join(lines)) for name, lines in fields]


def _read_content_type(value: bytes, default: str) -> tuple[str, Mapping[str, str]]:
    short = value[:_PARAMETERS_END]
    kind = short.partition(b";")[0].strip().lower().decode("latin-1")
    if kind.count("/") != 1:
        return default, {}
    parameters: dict[str, str] = {}
    for name, quoted, plain in _PARAMETER.findall(short):
        key = name.lower().decode("latin-1")
        parameters.setdefault(key, (quoted or plain).decode("latin-1"))
    return kind, parameters


def _cut(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """Return what lies between the delimiter lines (RFC 2046 §5.1.1)."""
    text, delimiter = b"\n" + body, b"\n--" + boundary
    start, at = -1, text.find(delimiter)
    while at >= 0:
        after = at + len(delimiter)
        end = text.find(b"\n", after)
        end = len(text) if end < 0 else end
        rest = text[after:end].rstrip()
        if rest in {b"", b"--"}:
            if start >= 0:
                yield text[start:at]
            start = end + 1
            if rest:
                return
        at = text.find(delimiter, end)
    if 0 <= start < len(text):
        yield text[start:]
