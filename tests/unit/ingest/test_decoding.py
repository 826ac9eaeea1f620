"""From octets to text, and which kind of input a text is."""

import pytest
from hypothesis import given, strategies as st

from digest.domain.errors import RefusedError
from digest.ingest.decoding import Kind, decode, decode_xml, detect


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("café".encode(), ""),
        ("café".encode("utf-8-sig"), ""),
        ("café".encode("utf-16"), ""),
        (b"\xfe\xff" + "café".encode("utf-16-be"), ""),
        ("café".encode("cp1252"), ""),
        ("café".encode("latin-1"), "text/html; charset=ISO-8859-1"),
    ],
)
def test_decodes_by_mark_header_or_guess(body: bytes, content_type: str) -> None:
    assert decode(body, content_type=content_type) == "café"


def test_decodes_by_the_documents_own_declaration() -> None:
    body = '<meta charset="windows-1256"><p>شمس</p>'.encode("cp1256")

    assert "شمس" in decode(body)


@pytest.mark.parametrize(
    "body",
    [
        b"\x89PNG\r\n\x1a\n\0\0",
        b"PK\x03\x04\0",
        b"%PDF-1.7\nx",
        bytes(range(1, 32)) * 9,
    ],
)
def test_refuses_what_is_binary(body: bytes) -> None:
    with pytest.raises(RefusedError, match="binary"):
        decode(body)


def test_refuses_an_encoding_that_can_hide_markup() -> None:
    body = b'<?xml version="1.0" encoding="utf-7"?>+ADw-!DOCTYPE x+AD4-'

    with pytest.raises(RefusedError, match="utf-7"):
        decode_xml(body)


@pytest.mark.parametrize(
    "document",
    [
        "<!DOCTYPE rss [<!ENTITY a 'b'>]><rss/>",
        "<?xml version='1.0'?>\n<!-- x --><?pi y?>\n<!doctype rss><rss/>",
        "<!DOCTYPE rss SYSTEM 'file:///etc/passwd'><rss/>",
        "<!ENTITY a 'b'><rss/>",
        "<!-- <!ENTITY a 'b'> --><rss/>",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_refuses_document_types_and_entities_in_any_encoding(
    document: str, encoding: str
) -> None:
    with pytest.raises(RefusedError, match="document type or entities"):
        decode_xml(document.encode(encoding))


def test_reads_a_document_type_that_is_only_quoted_in_a_story() -> None:
    document = b"<rss><item><![CDATA[<!DOCTYPE html> is the first line]]></item></rss>"

    assert decode_xml(document) == document.decode()


def test_refuses_what_is_no_xml() -> None:
    with pytest.raises(RefusedError, match="not XML"):
        decode_xml(b"hello")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<?xml version='1.0'?><rss>", Kind.FEED),
        ("<!-- x --><feed xmlns='http://www.w3.org/2005/Atom'>", Kind.FEED),
        ("<rdf:RDF xmlns:rdf='x'>", Kind.FEED),
        ("<?xml version='1.0'?><html>", Kind.HTML),
        ("<!DOCTYPE bomb [<!ENTITY a 'b'>]>", Kind.FEED),
        ("<unknown/>", Kind.FEED),
        ("\ufeff\n<!doctype html><p>", Kind.HTML),
        ("<div><p>Text</p></div>", Kind.HTML),
        ("Hello <p>x</p><p>y</p>", Kind.HTML),
        ('[{"title": {}}]', Kind.WORDPRESS),
        ('{"version": "https://jsonfeed.org/version/1.1"}', Kind.FEED),
        ("A headline\n\nAnd 1 < 2.", Kind.TEXT),
        ("<3 is a heart", Kind.TEXT),
        ("", Kind.TEXT),
    ],
)
def test_detects_the_kind(text: str, kind: Kind) -> None:
    assert detect(text) is kind


@given(st.binary(max_size=200))
def test_decodes_or_refuses_anything(body: bytes) -> None:
    try:
        text = decode(body)
    except RefusedError:
        return

    assert detect(text) in Kind
