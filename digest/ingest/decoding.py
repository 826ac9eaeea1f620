"""From octets to text, and which kind of input a text is."""

import re
from enum import StrEnum

from digest.domain.errors import RefusedError


class Kind(StrEnum):
    """How an input is to be read."""

    AUTO = "auto"  # by looking at it
    TEXT = "text"  # page text as pasted
    HTML = "html"  # the page of one story
    FEED = "feed"  # RSS, Atom, RDF or JSON Feed
    WORDPRESS = "wordpress"  # an answer of /wp-json/wp/v2/posts, or a site with it


_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_CONTROLS = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_XML_ENCODING = re.compile(rb"<\?xml[^>]{0,100}encoding\s*=\s*[\"']([\w.:-]{1,40})")
_META_CHARSET = re.compile(
    rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_XML_DECLARATION = re.compile(r"\s*<\?xml[^>]{0,200}\?>")
_PROLOG = re.compile(r"\s+|<!--.*?-->|<\?.*?\?>", re.DOTALL)
_ROOT = re.compile(r"<(?:[\w.-]+:)?([A-Za-z][\w.-]*)")
_FEED_ROOTS = {"rss", "feed", "rdf", "channel", "entry"}
_TAG = re.compile(
    r"<(?:!doctype html|/?(?:html|head|body|article|div|p|h1|meta|script|span|a|table"
    r"|section|main)\b)",
    re.IGNORECASE,
)
_HEAD = 4_000
_FEW_TAGS = 3
# Others can hide markup: in UTF-7 `<` is `+ADw-`.
_ENCODINGS = re.compile(
    r"utf-?8|utf-?16(?:-?[lb]e)?|us-ascii|ascii|iso-?8859-\d+|latin-?1|windows-125\d"
    r"|cp125\d|koi8-[ru]|gb2312|gbk|gb18030|big5|euc-(?:jp|kr)|shift_jis|macintosh",
    re.IGNORECASE,
)


def decode(body: bytes, *, content_type: str = "") -> str:
    """Turn octets into text by byte order mark, header, declaration, or UTF-8.

    Raises:
        RefusedError: They are not text, or their encoding is not known.
    """
    for bom, encoding in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(encoding, errors="replace")
    if _is_binary(body[:_HEAD]):
        raise RefusedError(
            "The input is binary, not text.",
            "Give a web page, a feed or a text file.",
        )
    declared = _CHARSET.search(content_type)
    inside = _XML_ENCODING.match(body.lstrip()) or _META_CHARSET.search(body[:_HEAD])
    name = declared[1] if declared else inside[1].decode("ascii") if inside else "utf-8"
    if not _ENCODINGS.fullmatch(name):
        raise RefusedError(
            f"The encoding {name!r} is not supported.", "Save the input as UTF-8."
        )
    text = body.decode(name, errors="replace")
    return _undo_wrong_guess(
        text, body, is_declared=declared is not None or bool(inside)
    )


def _undo_wrong_guess(text: str, body: bytes, *, is_declared: bool) -> str:
    # Undeclared text that is not UTF-8 is most often Windows' Western set.
    if "\ufffd" in text and not is_declared:
        return body.decode("cp1252", errors="replace")
    return text


def _is_binary(head: bytes) -> bool:
    controls = len(_CONTROLS.findall(head))
    return head.startswith(b"%PDF-") or b"\0" in head or controls * 50 > len(head)


def decode_xml(body: bytes) -> str:
    """Turn an XML document into text without its declaration.

    Raises:
        RefusedError: It declares a document type or entities, or is not text.
    """
    text = decode(body)
    declaration = _XML_DECLARATION.match(text)
    rest = text[declaration.end() :] if declaration else text
    place = _skip_prolog(rest)
    root = _ROOT.search(rest, place)
    head = rest[: root.start() if root else len(rest)]
    if rest[place : place + 2] == "<!" or re.search(
        r"<!\s*(?:doctype|entity)", head, re.IGNORECASE
    ):
        raise RefusedError(
            "The feed declares a document type or entities, which can harm a reader.",
            "Ask its publisher for a plain feed, or import the page instead.",
        )
    if not rest.startswith("<", place):
        raise RefusedError("The input is not XML.", "Check the address of the feed.")
    return rest


def _skip_prolog(text: str) -> int:
    place = 0
    while match := _PROLOG.match(text, place):
        place = match.end()
    return place


def detect(text: str) -> Kind:
    """Say how a text is to be read."""
    start = text[:_HEAD].lstrip("\ufeff \t\r\n")
    if start.startswith(("{", "[")):
        is_feed = start.startswith("{") and "jsonfeed.org" in text[:_HEAD]
        return Kind.FEED if is_feed else Kind.WORDPRESS
    if start.startswith("<"):
        return _detect_markup(start)
    return Kind.HTML if len(_TAG.findall(start)) >= _FEW_TAGS else Kind.TEXT


def _detect_markup(start: str) -> Kind:
    root = _ROOT.match(start, _skip_prolog(start))
    if root and root[1].lower() in _FEED_ROOTS:
        return Kind.FEED
    is_page = _TAG.search(start) or re.search(r"<!doctype\s+html", start, re.IGNORECASE)
    if is_page:
        return Kind.HTML
    is_xml = start.startswith("<?xml") or re.match(
        r"<!doctype|<!entity", start, re.IGNORECASE
    )
    return Kind.FEED if is_xml or (root and root[1] not in _FEED_ROOTS) else Kind.TEXT
