"""Get the pictures of an edition's stories: fetched once, then served by ourselves.

It is done after an edition was composed or edited, never while it is rendered. A
picture that cannot be had costs the story its picture, and preflight says so.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

from digest.compose.content import content_hash
from digest.compose.withdraw import require_changeable, withdraw_approval
from digest.domain.actor import Actor
from digest.domain.editions import CHANGEABLE, Story
from digest.domain.errors import RefusedError
from digest.domain.pictures import Picture
from digest.domain.site import Site
from digest.fetch.client import Fetcher, Limits
from digest.pictures.shrink import MOST_OCTETS, Shrunk, shrink
from digest.storage import audit, editions, newsletters, pictures as stored
from digest.storage.engine import Database, Tx
from digest.storage.pictures import Known
from digest.templating import Templates

LIMITS = Limits(octets=MOST_OCTETS, seconds=20)
"""How much the fetch of one picture may cost."""

KEPT = timedelta(days=60)
"""How long files are kept that no edition shows."""

# Some servers choose a format by this; the first two need no second encoding.
_ACCEPT = "image/jpeg, image/png, image/webp;q=0.8, image/gif;q=0.8, */*;q=0.1"
_AT_ONCE = 4

Tell = Callable[[int, int], None]
"""Told how many pictures of how many are done."""

_Found = tuple[Shrunk, Shrunk] | str


@dataclass(frozen=True, kw_only=True)
class StoryPicture:
    """What became of one story's picture.

    Attributes:
        article_id: The story.
        url: Where the picture is from; None: the story has none.
        picture: Our files; None where it could not be had.
        error: Why not; empty where it could.
    """

    article_id: int
    url: str | None
    picture: Picture | None
    error: str


def gather(
    db: Database,
    *,
    edition_id: int,
    fetcher: Fetcher,
    templates: Templates,
    site: Site,
    actor: Actor,
    now: datetime,
    again: bool = True,
    tell: Tell = lambda _done, _total: None,
) -> list[StoryPicture]:
    """Fetch what is missing and let the edition's stories show it.

    Args:
        db: The database.
        edition_id: The edition.
        fetcher: The guarded client, within `LIMITS`.
        templates: The installation's templates.
        site: Its public addresses.
        actor: Who asks.
        now: The present.
        again: Also try what failed before.
        tell: Called after each picture.

    Returns:
        Each story in order, with or without its picture.

    Raises:
        NotFoundError: There is no such edition.
        StateError: It was released or cancelled.
    """
    with db.read() as tx:
        require_changeable(editions.get(tx, edition_id))
        wanted = _wanted(editions.stories(tx, edition_id))
        known = stored.recall(tx, wanted)
    missing = [
        url
        for url in wanted
        if url not in known or (again and known[url].picture is None)
    ]
    for done, (url, found) in enumerate(_fetch_all(missing, fetcher), start=1):
        with db.write() as tx:
            _keep(tx, url, found, now)
        tell(done, len(missing))
    with db.write() as tx:
        stored.hold(tx)
        _link(tx, edition_id, templates=templates, site=site, actor=actor, now=now)
        report = _report(tx, edition_id)
    with db.write() as tx:
        stored.sweep(tx, before=now - KEPT)
    return report


def take_upload(db: Database, body: bytes, *, site: Site, now: datetime) -> str:
    """Store a picture that somebody gives as a file.

    Args:
        db: The database.
        body: Its octets.
        site: Its public addresses.
        now: The present.

    Returns:
        The address on this site under which an article names it.

    Raises:
        RefusedError: It is no picture, damaged, or beyond a limit.
    """
    small, large = shrink(body)
    url = site.page(large.file.path)
    with db.write() as tx:
        picture = _put(tx, small, large, now)
        stored.remember(tx, url, picture=picture, uploaded=True, now=now)
    return url


def _wanted(stories: Sequence[Story]) -> list[str]:
    urls = (s.image.url for s in stories if s.picture is None)
    return list(dict.fromkeys(url for url in urls if url))


def _fetch_all(urls: Sequence[str], fetcher: Fetcher) -> Iterator[tuple[str, _Found]]:
    # One decoder at a time: each may take its whole allowance of memory.
    decoding = Lock()

    def fetch(url: str) -> _Found:
        try:
            body = fetcher.get(url, accept=_ACCEPT).body
            with decoding:
                return shrink(body)
        except RefusedError as error:
            return error.message
        except OSError as error:  # no memory or file left for a process of its own
            return f"The picture could not be decoded: {error}."

    if not urls:
        return
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        begun = {pool.submit(fetch, url): url for url in urls}
        for future in as_completed(begun):
            yield begun[future], future.result()


def _keep(tx: Tx, url: str, found: _Found, now: datetime) -> None:
    if isinstance(found, str):
        stored.remember(tx, url, error=found, now=now)
    else:
        stored.remember(tx, url, picture=_put(tx, *found, now), now=now)


def _put(tx: Tx, small: Shrunk, large: Shrunk, now: datetime) -> Picture:
    for each in (small, large):
        stored.put(tx, each.file, each.body, now=now)
    return Picture(small=small.file, large=large.file)


def _link(
    tx: Tx,
    edition_id: int,
    *,
    templates: Templates,
    site: Site,
    actor: Actor,
    now: datetime,
) -> None:
    """Give stories their pictures, in whatever edition there is by now."""
    edition = editions.get(tx, edition_id)
    old = editions.stories(tx, edition_id)
    new = _with_pictures(old, stored.recall(tx, _wanted(old)))
    if edition.state not in CHANGEABLE or new == old:
        return
    stored.use(tx, [s.picture for s in new if s.picture], now=now)
    newsletter = newsletters.get_by_id(tx, edition.newsletter_id)
    stamp = content_hash(edition, newsletter, new, templates=templates, site=site)
    withdraw_approval(tx, edition, actor=actor, now=now)
    editions.update(
        tx,
        replace(edition, content_hash=stamp),
        new,
        replaces=edition.content_hash,
        now=now,
    )
    got = sum(1 for a, b in zip(old, new, strict=True) if a.picture != b.picture)
    audit.record(
        tx,
        actor=actor,
        action="edition.pictures",
        subject=("edition", edition_id),
        now=now,
        detail={"pictures": got},
    )


def _with_pictures(stories: Sequence[Story], known: Mapping[str, Known]) -> list[Story]:
    return [
        replace(story, picture=found.picture)
        if story.picture is None and (found := known.get(story.image.url or ""))
        else story
        for story in stories
    ]


def _report(tx: Tx, edition_id: int) -> list[StoryPicture]:
    stories = editions.stories(tx, edition_id)
    known = stored.recall(tx, _wanted(stories))
    return [
        StoryPicture(
            article_id=story.article_id,
            url=story.image.url,
            picture=story.picture,
            error=found.error if (found := known.get(story.image.url or "")) else "",
        )
        for story in stories
    ]
