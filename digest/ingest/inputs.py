"""Where input comes from: a file, a web address, or standard input."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from digest.domain.errors import RefusedError
from digest.domain.webaddresses import require_url
from digest.fetch.client import Fetcher
from digest.ingest.decoding import Kind, decode, detect
from digest.ingest.feeds import Feed, Item, read_feed, read_json_feed
from digest.ingest.pages import read_page
from digest.ingest.pasted import read_pasted
from digest.ingest.wordpress import collect_posts, is_route, read_posts

STDIN = "-"
CAP = 10_000_000

ReadStdin = Callable[[int], bytes]
"""Read up to so many octets of standard input."""


@dataclass(frozen=True, kw_only=True)
class Material:
    """Octets to be read.

    Attributes:
        body: At most `CAP` octets.
        url: Where they came from, or belong; None where unknown.
        content_type: As a server sent it; may be empty.
    """

    body: bytes
    url: str | None = None
    content_type: str = ""


def read_input(
    name: str,
    *,
    kind: Kind,
    url: str | None,
    fetcher: Fetcher,
    zone: ZoneInfo,
    stdin: ReadStdin,
) -> Feed:
    """Read one input, whatever it is.

    Args:
        name: A path, an http(s) address, or `-`.
        kind: How to read it.
        url: The address a file's story belongs to.
        fetcher: The guarded client.
        zone: Where dates of publication are dates.
        stdin: Standard input.

    Returns:
        Its stories; a page is a feed of one.

    Raises:
        RefusedError: It is too large, binary, broken or no story.
    """
    is_remote = name.lower().startswith(("http://", "https://"))
    if is_remote and (kind is Kind.WORDPRESS or (kind is Kind.AUTO and is_route(name))):
        return collect_posts(fetcher, name, zone=zone)
    material = (
        _fetch(name, fetcher) if is_remote else _read_local(name, url=url, stdin=stdin)
    )
    return read_material(material, kind=kind, label=name, zone=zone)


def read_material(
    material: Material, *, kind: Kind, label: str, zone: ZoneInfo
) -> Feed:
    """Read octets as a feed, as posts, as a page, or as pasted text.

    Raises:
        RefusedError: They cannot be read that way.
    """
    text = decode(material.body, content_type=material.content_type)
    if not text.strip():
        raise RefusedError("The input is empty.", "Check what was saved or piped.")
    if kind is Kind.AUTO:
        kind = detect(text)
    match kind:
        case Kind.FEED if text.lstrip().startswith("{"):
            return read_json_feed(text, zone=zone, url=material.url)
        case Kind.FEED:
            return read_feed(material.body, zone=zone, url=material.url)
        case Kind.WORDPRESS:
            return read_posts(text, zone=zone, url=material.url)
        case Kind.HTML:
            draft = read_page(text, zone=zone, url=material.url)
        case _:
            draft = read_pasted(text)
    return Feed(title="", items=(Item(label=label, draft=draft),))


def _fetch(url: str, fetcher: Fetcher) -> Material:
    answer = fetcher.get(url)
    return Material(body=answer.body, url=answer.url, content_type=answer.content_type)


def _read_local(name: str, *, url: str | None, stdin: ReadStdin) -> Material:
    if url is not None:
        require_url(url)
    body = stdin(CAP + 1) if name == STDIN else _read_file(Path(name))
    if len(body) > CAP:
        raise _too_large()
    return Material(body=body, url=url)


def _read_file(path: Path) -> bytes:
    try:
        # The size is asked first: a huge file is refused without reading it.
        if path.is_file() and path.stat().st_size > CAP:
            raise _too_large()
        with path.open("rb") as file:
            return file.read(CAP + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no path"
        raise RefusedError(
            f"It cannot be read: {reason}.",
            "Give a file, a web address or - for stdin.",
        ) from None


def _too_large() -> RefusedError:
    return RefusedError(
        f"It is larger than {CAP // 1_000_000} MB.",
        "Import one story or feed at a time.",
    )
