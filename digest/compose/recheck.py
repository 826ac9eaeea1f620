"""Look stories up again before their edition goes: are they there, and the same?"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from digest.compose.headline import find_headline
from digest.domain.editions import Story
from digest.fetch.client import Fetcher, Limits
from digest.fetch.transport import FetchError
from digest.storage import articles, editions, sightings
from digest.storage.engine import Database
from digest.storage.sightings import Sighting

LIMITS = Limits(octets=3_000_000, seconds=10)
_AT_ONCE = 6
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


@dataclass(frozen=True, kw_only=True)
class Rechecked:
    """What became of an edition's stories.

    Attributes:
        changed: What is no longer as it was, a sentence each.
        unseen: What could not be looked at, a sentence each.
    """

    changed: Sequence[str] = ()
    unseen: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class _Page:
    """What a look at one page found.

    Attributes:
        headline: What it calls itself; may be empty.
        gone: The status that says it is not there; 0: it is.
        trouble: Why it could not be looked at.
    """

    headline: str = ""
    gone: int = 0
    trouble: str = ""


def recheck(
    db: Database, *, edition_id: int, fetcher: Fetcher, now: datetime
) -> Rechecked:
    """Look an edition's stories up; what is seen first is what later looks compare.

    Args:
        db: The database.
        edition_id: The edition.
        fetcher: The guarded client, see `LIMITS`.
        now: The present.

    Returns:
        What is not as it was. A page that cannot be reached says nothing.

    Raises:
        NotFoundError: There is no such edition.
    """
    with db.read() as tx:
        editions.get(tx, edition_id)
        stories = editions.stories(tx, edition_id)
        before = sightings.load(tx, edition_id)
        found = articles.get_many(tx, [story.article_id for story in stories])
    titles = {article.id: article.title for article in found}
    pages = _look(stories, fetcher)
    seen = {
        story.article_id: Sighting(
            title=titles[story.article_id], headline=pages[story.article_id].headline
        )
        for story in stories
        if story.article_id not in before
    }
    with db.write() as tx:
        sightings.put(tx, edition_id, seen, now=now)
    return Rechecked(
        changed=[
            words
            for story in stories
            for words in _compare(
                story,
                before.get(story.article_id),
                titles[story.article_id],
                pages[story.article_id],
            )
        ],
        unseen=[
            f"“{story.title}”: its page could not be looked at. {page.trouble}".strip()
            for story in stories
            if (page := pages[story.article_id]).trouble
        ],
    )


def _look(stories: Sequence[Story], fetcher: Fetcher) -> Mapping[int, _Page]:
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        pages = pool.map(lambda story: _open(story.url, fetcher), stories)
    return {story.article_id: page for story, page in zip(stories, pages, strict=True)}


def _open(url: str | None, fetcher: Fetcher) -> _Page:
    if url is None:
        return _Page()
    try:
        answer = fetcher.get(url, accept="text/html, */*;q=0.5")
    except FetchError as error:
        if error.status in _GONE:
            return _Page(gone=int(error.status))
        return _Page(trouble=error.message)
    return _Page(headline=find_headline(answer.body, answer.content_type))


def _compare(
    story: Story, before: Sighting | None, title: str, page: _Page
) -> Iterator[str]:
    if page.gone:
        yield f"“{story.title}”: its page is gone ({page.gone})."
    if before is None:
        return
    if title != before.title:
        yield f"“{story.title}”: its source now calls it “{title}”."
    elif page.headline and before.headline and page.headline != before.headline:
        yield f"“{story.title}”: its page is now called “{page.headline}”."
