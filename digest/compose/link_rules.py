"""Preflight rules about where links lead; alive or dead where the network is asked."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from ipaddress import ip_address
from urllib.parse import urlsplit

from digest.compose.finding import Finding, refuse, warn
from digest.compose.page import Link
from digest.compose.story_rules import key_of
from digest.domain.editions import Story
from digest.domain.hosts import is_reserved
from digest.domain.site import Site

Ask = Callable[[str], str | None]
"""Follows an address; returns why it cannot be read, None where it can."""

AT_ONCE = 6
_GENERIC = frozenset(
    {"here", "click here", "read more", "more", "link", "this", "this link", "read"}
    | {"learn more", "find out more", "continue reading", "details", "click", "go"}
    | {"هنا", "اضغط هنا", "المزيد", "اقرأ المزيد", "الرابط", "للمزيد", "التفاصيل"}
)


def check_links(
    links: Sequence[Link], stories: Sequence[Story], site: Site
) -> Iterator[Finding]:
    """Check what links say and where they lead, without asking the network."""
    places = _places(stories)
    for link in links:
        if link.words.casefold().strip(" .:»→…") in _GENERIC:
            yield warn(
                "link-text",
                f'A link only says "{link.words}": say where it goes.',
                link.url,
            )
    for url in outside(links, site):
        yield from _check_target(url, places.get(key_of(url), url))


def outside(links: Sequence[Link], site: Site) -> list[str]:
    """Return the web addresses that are not ours, each once, in order."""
    urls = dict.fromkeys(link.url for link in links)
    own = f"{site.base_url}/"
    return [
        url
        for url in urls
        if url.lower().startswith(("https:", "http:")) and not f"{url}/".startswith(own)
    ]


def check_alive(
    urls: Sequence[str],
    stories: Sequence[Story],
    *,
    ask: Ask,
    progress: Callable[[int], object] = lambda _: None,
) -> list[Finding]:
    """Follow every link; what a server answers is never more than a warning.

    Some servers answer programs otherwise than people, and an approval must not
    depend on the network.

    Args:
        urls: The addresses.
        stories: The edition's, to say whose link it is.
        ask: Follows one.
        progress: Told how many are through.
    """
    places = _places(stories)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        asked = {pool.submit(ask, url): url for url in urls}
        for count, _ in enumerate(as_completed(asked), start=1):
            progress(count)
    return [
        warn("link-dead", reason, places.get(key_of(url), url))
        for answer, url in asked.items()
        if (reason := answer.result()) is not None
    ]


def _check_target(url: str, where: str) -> Iterator[Finding]:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        yield refuse("link-host", f"{url[:80]} is no web address.", where)
        return
    if parts.scheme == "http":
        yield warn("insecure-link", f"{url} is not https.", where)
    if "@" in parts.netloc:
        yield refuse("link-host", f"{url[:80]} hides its host behind a name.", where)
    elif _is_number(host):
        yield warn("link-host", f"{url[:80]} leads to a number, not a name.", where)
    elif is_reserved(host):
        yield warn("example-link", f"{host} is a name for examples.", where)


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        # 2130706433 and 0x7f.1 are addresses too, to a browser.
        last = host.rpartition(".")[2]
        return last.isdecimal() or last.lower().startswith("0x")
    return True


def _places(stories: Sequence[Story]) -> Mapping[str, str]:
    return {key_of(s.url): f"article {s.article_id}" for s in stories if s.url}
