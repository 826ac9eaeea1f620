"""Header fields: checked, encoded and folded, so that no value can add another."""

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence

from digest.domain.errors import DigestError

Field = tuple[str, str]

_LINE = 78  # RFC 5322 §2.1.1: SHOULD
_LONGEST_LINE = 998  # RFC 5322 §2.1.1: MUST
# RFC 2047 §2 allows 75; 63 leaves room for a field's name on a line of 76.
_ENCODED_WORD = 63
_PAYLOAD = _ENCODED_WORD - len("=?utf-8?q??=")
_LONGEST_WORD = 68

_UNSTRUCTURED = frozenset({"subject", "comments"})
_ADDRESSES = frozenset({"from", "sender", "reply-to", "to", "cc"})
# RFC 5322 §3.6, RFC 2045 §3, RFC 2369 §3, RFC 2919 §3, RFC 8058 §3.1.
_AT_MOST_ONCE = _ADDRESSES | {
    *("subject", "date", "message-id", "in-reply-to", "references"),
    *("mime-version", "content-type", "content-transfer-encoding"),
    *("list-id", "list-unsubscribe", "list-unsubscribe-post", "list-archive"),
    *("list-help", "list-post", "list-owner", "list-subscribe"),
    *("content-language", "feedback-id", "auto-submitted", "precedence"),
}
# Everything that any reader of mail has ever taken for the end of a line, the other
# controls but TAB, and lone surrogates.
_FORBIDDEN = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NAME = re.compile(r"[!-9;-~]{1,76}", re.ASCII)
_ATOMS = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?: [\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII)
_ADDRESS = re.compile(r"[^\s<>(),;\"\\]{1,320}")
_BREAKS_IN_TEXT = re.compile(r"[ \t]+")
# White space between brackets or quotation marks is no place to fold.
_BREAKS = re.compile(r'<[^<>]*>|"(?:[^"\\]|\\.)*"|[ \t]+')
_ANY_ADDRESS = re.compile(r"<[^\s<>]+>|^[^\s<>]+@[^\s<>]+$")
_Q_SAFE = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/"
)


def mailbox(name: str, address: str) -> str:
    """Write `Name <address>`; also serves List-Id, `phrase <identifier>`.

    Args:
        name: Any one line of text; may be empty.
        address: An addr-spec, non-ASCII only where SMTPUTF8 is meant (RFC 6532).

    Returns:
        The name as atoms, quoted string (RFC 5322 §3.2.5) or encoded words
        (RFC 2047 §5); the bare address for an empty name.

    Raises:
        DigestError: Either holds a control character or line separator, or the
            address anything that does not belong in one.
    """
    _refuse_controls("name", name)
    if not _ADDRESS.fullmatch(address) or _FORBIDDEN.search(address):
        raise DigestError("That address cannot stand in a header.", "Correct it.")
    phrase = _phrase(" ".join(name.split()))
    return f"{phrase} <{address}>" if phrase else address


def write_fields(fields: Sequence[Field]) -> bytes:
    """Write a header block, without the blank line that ends it.

    Args:
        fields: Names and values in order. Subject is any text; every other value
            stands as it is given, so phrases come from `mailbox`.

    Returns:
        The fields, folded at 78 columns at white space outside `<…>` and `"…"`.

    Raises:
        DigestError: A name or value holds a control character or line separator, a
            structured value is not ASCII, a line cannot be kept under 998 octets,
            or a field that may stand once stands twice (RFC 5322 §3.6).
    """
    _refuse_repeats(fields)
    lines = [_fold(name, wire_value(name, value)) for name, value in fields]
    return "".join(lines).encode("utf-8")


def wire_value(name: str, value: str) -> str:
    """Return a field's value as it goes onto the wire, before it is folded.

    Raises:
        DigestError: As `write_fields`, the two last reasons aside.
    """
    if not _NAME.fullmatch(name):
        raise DigestError(f"{name!r} is not the name of a header field.")
    _refuse_controls(name, value)
    value = value.strip(" \t")
    if name.lower() in _UNSTRUCTURED:
        return value if _is_plain(value) else _encoded_words(value)
    if not value.isascii() and not _is_internationalized(name, value):
        raise DigestError(f"The header field {name} must be ASCII.")
    return value


def _refuse_controls(what: str, text: str) -> None:
    if _FORBIDDEN.search(text):
        raise DigestError(
            f"A control character or line break stands in the {what} of a letter.",
            "Take it out.",
        )


def _refuse_repeats(fields: Sequence[Field]) -> None:
    names = [n for name, _ in fields if (n := name.lower()) in _AT_MOST_ONCE]
    if len(names) != len(set(names)):
        twice = next(n for n in names if names.count(n) > 1)
        raise DigestError(f"The header field {twice} stands twice in a letter.")


def _is_plain(value: str) -> bool:
    return (
        value.isascii()
        and "=?" not in value
        and all(len(word) <= _LONGEST_WORD for word in value.split())
    )


def _is_internationalized(name: str, value: str) -> bool:
    """Allow UTF-8 in addresses themselves (RFC 6532 §3.2), not in their phrases."""
    return name.lower() in _ADDRESSES and _ANY_ADDRESS.sub("", value).isascii()


def _phrase(name: str) -> str:
    if not name or (_ATOMS.fullmatch(name) and _is_plain(name)):
        return name
    if _is_plain(name) and len(name) <= _ENCODED_WORD:
        return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    return _encoded_words(name)


def _encoded_words(text: str) -> str:
    """Encode text by whichever of RFC 2047's two ways is shorter."""
    q_length = sum(len(_q(character)) for character in text)
    if q_length <= len(b64encode(text.encode("utf-8"))):
        chunks = _chunks([_q(character) for character in text], _PAYLOAD)
        return " ".join(f"=?utf-8?q?{chunk}?=" for chunk in chunks)
    chunks = _chunks(list(text), _PAYLOAD // 4 * 3)
    return " ".join(
        f"=?utf-8?b?{b64encode(chunk.encode('utf-8')).decode('ascii')}?="
        for chunk in chunks
    )


def _q(character: str) -> str:
    if character in _Q_SAFE:
        return character
    if character == " ":
        return "_"
    return "".join(f"={octet:02X}" for octet in character.encode("utf-8"))


def _chunks(units: list[str], room: int) -> Iterator[str]:
    """Join units, each kept whole (RFC 2047 §5), to chunks of at most `room` octets."""
    chunk, length = "", 0
    for unit in units:
        octets = len(unit.encode("utf-8"))
        if length + octets > room:
            yield chunk
            chunk, length = "", 0
        chunk += unit
        length += octets
    yield chunk


def _fold(name: str, value: str) -> str:
    text = f"{name}: {value}"
    if len(text) > _LINE:
        pattern = _BREAKS_IN_TEXT if name.lower() in _UNSTRUCTURED else _BREAKS
        text = "\r\n".join(_cut(text, pattern, len(name) + 2))
        if (
            max(len(line.encode("utf-8")) for line in text.split("\r\n"))
            > _LONGEST_LINE
        ):
            raise DigestError(f"The header field {name} is too long.", "Shorten it.")
    return text + "\r\n"


def _cut(text: str, pattern: re.Pattern[str], start: int) -> Iterator[str]:
    """Cut before white space, never so soon that a line holds the name alone."""
    begin, place = 0, None
    for found in pattern.finditer(text, start):
        if found[0][0] not in " \t":
            continue
        if place is not None and found.start() - begin > _LINE:
            yield text[begin:place]
            begin = place
        place = found.start()
    if place is not None and len(text) - begin > _LINE:
        yield text[begin:place]
        begin = place
    yield text[begin:]
