"""The process that parses a page or a feed, started by `ingest.parser_process`.

It gets the document on stdin, answers one JSON object on stdout, and is limited before
it imports a parser.
"""

import json
import logging
import os
import resource
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

MOST_ITEMS = 500
_META = ("property", "name", "itemprop")


def main() -> None:
    """Read a document from stdin and answer what it holds."""
    job, megabytes, seconds, url = sys.argv[1:5]
    limit = int(megabytes) * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    logging.disable(logging.CRITICAL)
    document = sys.stdin.buffer.read()
    answer = parse_feed(document) if job == "feed" else extract(document, url or None)
    json.dump(answer, sys.stdout, default=str)
    sys.stdout.flush()
    # Tearing down large trees takes time nobody needs.
    os._exit(0)


def parse_feed(document: bytes) -> dict[str, Any]:
    """Return what feedparser makes of an XML document.

    Args:
        document: UTF-8, without a document type.

    Returns:
        `version` (empty: no feed), `damaged`, `feed`, and at most 500 `entries`.
    """
    import feedparser  # noqa: PLC0415 - imported under the limits

    parsed = feedparser.parse(
        document,
        sanitize_html=False,
        resolve_relative_uris=False,
        response_headers={"content-type": "application/xml; charset=utf-8"},
    )
    return {
        "version": parsed.get("version", ""),
        "damaged": bool(parsed.bozo),
        "feed": dict(parsed.feed),
        "entries": [dict(entry) for entry in parsed.entries[:MOST_ITEMS]],
    }


def extract(page: bytes, url: str | None) -> dict[str, Any]:
    """Return the page's text and what it says about itself.

    Args:
        page: UTF-8.
        url: Where it came from.

    Returns:
        `paragraphs`, `captions`, `headlines` (each a list of strings), `meta` (name →
        first value), `linked` (parsed JSON-LD objects), `canonical`, `language`,
        `title`, `articles` (how many article elements), `repeated` (texts that stand
        on the page more than once).
    """
    import trafilatura  # noqa: PLC0415 - imported under the limits
    from lxml import html  # noqa: PLC0415 - as above

    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True)
    tree = html.document_fromstring(page, parser=parser)
    meta: dict[str, str] = {}
    for element in tree.iter("meta"):
        for name in _META:
            if element.get(name) and element.get("content"):
                meta.setdefault(element.get(name).lower(), element.get("content"))
    answer = {
        "meta": meta,
        "linked": list(_linked(tree)),
        "canonical": _first(tree.xpath("//link[@rel='canonical']/@href")),
        "language": tree.get("lang") or "",
        "title": _first(tree.xpath("//title/text()")),
        "headlines": [_text(e) for e in tree.iter("h1")][:5],
        "captions": [_text(e) for e in tree.iter("figcaption")][:5],
        "articles": sum(1 for _ in tree.iter("article")),
    }
    counted = Counter(_text(e) for e in tree.iter("p", "li", "blockquote"))
    answer["repeated"] = [text for text, times in counted.items() if times > 1]
    found = trafilatura.bare_extraction(
        tree, url=url, include_comments=False, include_tables=False, favor_recall=True
    )
    body = getattr(found, "body", None)
    answer["paragraphs"] = [] if body is None else list(_paragraphs(body))
    return answer


def _paragraphs(body: Any) -> Iterator[str]:
    for element in body.iter("p", "head", "item", "quote"):
        is_inside = any(
            a.tag in {"p", "item", "quote"} for a in element.iterancestors()
        )
        if not is_inside:
            yield _text(element)


def _linked(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield JSON-LD objects, those of a graph one by one (schema.org)."""
    for script in tree.xpath("//script[@type='application/ld+json']/text()"):
        try:
            found = json.loads(script)
        except (ValueError, RecursionError):
            continue
        for part in found if isinstance(found, list) else [found]:
            graph = part.get("@graph", [part]) if isinstance(part, dict) else []
            for node in graph if isinstance(graph, list) else []:
                if isinstance(node, dict):
                    yield node


def _text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def _first(values: list[Any]) -> str:
    return str(values[0]) if values else ""


if __name__ == "__main__":
    main()
