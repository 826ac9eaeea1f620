"""Read a page's headline, as far as two looks at the same page can be compared."""

from html.parser import HTMLParser

_MOST = 400_000
_LONGEST = 500


def find_headline(page: bytes, content_type: str) -> str:
    """Return what a page calls itself; empty where it does not say.

    Args:
        page: Its octets.
        content_type: As the server sent it.
    """
    charset = content_type.partition("charset=")[2].strip(" \"';") or "utf-8"
    try:
        text = page[:_MOST].decode(charset, errors="replace")
    except LookupError:
        text = page[:_MOST].decode("utf-8", errors="replace")
    reader = _Reader()
    reader.feed(text)
    return next((words for words in reader.found() if words), "")


class _Reader(HTMLParser):
    """Collects `og:title`, the first `h1` and `title`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._shared = ""
        self._words: dict[str, list[str]] = {"h1": [], "title": []}
        self._inside = ""
        self._done: set[str] = set()

    def found(self) -> list[str]:
        """Return what was found, the most reliable first."""
        words = [self._shared, *("".join(self._words[n]) for n in ("h1", "title"))]
        return [" ".join(text.split())[:_LONGEST] for text in words]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._words and tag not in self._done and not self._inside:
            self._inside = tag
        given = dict(attrs)
        if tag == "meta" and given.get("property") == "og:title" and not self._shared:
            self._shared = given.get("content") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._done.add(tag)
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self._words[self._inside].append(data)
