"""Decode the text of a message that strangers wrote: fields, bodies, addresses."""

import base64
import codecs
import html
import quopri
import re
from email.errors import HeaderParseError
from email.header import decode_header

from digest.domain.addresses import AddressError, EmailAddress, parse_address
from digest.mail.incoming import Part

_FIELD_END = 1000
_TEXT_END = 64 * 1024

# Text alone, and quick to decode: what else Python calls an encoding is not
# ("punycode" takes quadratic time).
_CHARSET = re.compile(
    r"ascii|utf-(?:8|16|32|7)(?:-[lb]e)?|iso8859-\d+|cp\d+|koi8-[rtu]|mac-\w+"
    r"|gb2312|gbk|gb18030|big5|hz|euc_(?:jp|kr)|shift_jis|iso2022_\w+|johab|tis-620"
    r"|ptcp154|kz1048"
)
_TAG = re.compile(r"<[^<>]*>")
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h\d)\b[^<>]*>", re.IGNORECASE)
# What mail programs put around what they quote.
_QUOTED = re.compile(
    r"<blockquote|class=\"?gmail_quote|id=\"?divRplyFwdMsg", re.IGNORECASE
)
_HIDDEN = re.compile(r"<(style|script|head|title)\b", re.IGNORECASE)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMMENT = re.compile(r"\([^()]*\)")
_ANGLE = re.compile(r"[^<>,;:@]*<\s*([^<>\s]+)\s*>\s*")


def decode_field(value: bytes) -> str:
    """Decode a field's words (RFC 2047), leniently; at most 1,000 characters."""
    text = _decode(value[:_FIELD_END], "utf-8")
    try:
        pieces = decode_header(text)
    except (HeaderParseError, ValueError):
        return text
    return "".join(
        piece if isinstance(piece, str) else _decode(piece, charset or "latin-1")
        for piece, charset in pieces
    )


def read_text(message: Part) -> str:
    """Return the start of a message's own text: its first text part, decoded.

    HTML is only read where there is no plain text; what it quotes is left out.
    """
    for kind in ("text/plain", "text/html"):
        found = next((p for p in _own_parts(message) if p.content_type == kind), None)
        if found is not None:
            text = _decode(_undo(found), found.parameters.get("charset", "utf-8"))
            return text if kind == "text/plain" else _strip(text)
    return ""


def read_sender(message: Part) -> EmailAddress | None:
    """Return the one address of From, or None where it is not beyond doubt.

    Readings of addresses differ between programs; what could be read in two ways is
    not read at all (attack A26).
    """
    values = message.all("from")
    if len(values) != 1:
        return None
    text = values[0][:_FIELD_END].decode("utf-8", "replace")
    bare = _COMMENT.sub(" ", _STRING.sub(" ", text)).strip()
    angle = _ANGLE.fullmatch(bare)
    try:
        return parse_address(angle[1] if angle else bare)
    except AddressError:
        return None


def _own_parts(part: Part) -> list[Part]:
    """Return what the writer wrote: nothing out of an attached message."""
    if part.content_type.startswith("message/"):
        return []
    if not part.parts:
        return [part]
    return [leaf for child in part.parts for leaf in _own_parts(child)]


def _undo(part: Part) -> bytes:
    """Undo the transfer encoding of a body's start (RFC 2045 §6)."""
    encoding = part.first("content-transfer-encoding").strip().lower()
    body = part.body[:_TEXT_END]
    if encoding == b"quoted-printable":
        return quopri.decodestring(body)
    if encoding != b"base64":
        return body
    digits = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
    return base64.b64decode(digits[: len(digits) // 4 * 4])


def _decode(octets: bytes, charset: str) -> str:
    try:
        name = codecs.lookup(charset.strip()).name
    except (LookupError, ValueError):
        name = "utf-8"
    if not _CHARSET.fullmatch(name):
        name = "utf-8"
    try:
        return octets.decode(name, "replace")
    except UnicodeError:
        return octets.decode("latin-1")


def _strip(markup: str) -> str:
    quoted = _QUOTED.search(markup)
    if quoted:
        markup = markup[: quoted.start()]
    text = _BREAK.sub("\n", _without_hidden(markup))
    return html.unescape(_TAG.sub(" ", text))


def _without_hidden(markup: str) -> str:
    """Leave out what a browser would not show."""
    kept, at, folded = [], 0, markup.lower()
    while (found := _HIDDEN.search(markup, at)) is not None:
        kept.append(markup[at : found.start()])
        end = folded.find(f"</{found[1].lower()}", found.end())
        if end < 0:
            return "".join(kept)
        at = end
    return "".join([*kept, markup[at:]])
