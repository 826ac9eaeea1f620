"""Sources: add one, map its categories, collect the new stories of all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from digest.domain.actor import Actor
from digest.domain.articles import Draft
from digest.domain.errors import DigestError, RefusedError, UsageError
from digest.domain.newsletters import Newsletter
from digest.domain.sources import Source
from digest.fetch.client import Fetched, Fetcher
from digest.ingest.decoding import Kind
from digest.ingest.discovery import ACCEPT, discover, read_answer
from digest.ingest.feeds import Feed
from digest.ingest.imports import Pool, Report, name_source
from digest.ingest.wordpress import collect_posts
from digest.storage import audit, newsletters, sources
from digest.storage.engine import Database, Tx

SHOWN = 10
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(days=366)
_OVERLAP = timedelta(days=1)  # clocks differ, and an edit may reach the API late


@dataclass(frozen=True, kw_only=True)
class Added:
    """A new source and what it holds.

    Attributes:
        source: As stored; nothing was imported yet.
        latest: Its latest stories with guessed sections, ten at most.
        unmapped: Categories of its stories without a section.
    """

    source: Source
    latest: Sequence[Draft]
    unmapped: Sequence[str]


@dataclass(kw_only=True)
class Collected:
    """What collecting one source did.

    Attributes:
        source: Which.
        report: Story by story.
        not_modified: The server said that nothing changed.
        error: Why it failed; empty where it did not.
        unmapped: Categories of stories that got no section.
    """

    source: Source
    report: Report = field(default_factory=Report)
    not_modified: bool = False
    error: str = ""
    unmapped: Sequence[str] = ()


def add_source(
    db: Database,
    *,
    newsletter: str,
    url: str,
    fetcher: Fetcher,
    actor: Actor,
    now: datetime,
    kind: Kind = Kind.AUTO,
    every: timedelta = timedelta(hours=1),
) -> Added:
    """Look at a feed or WordPress site and keep it as a source.

    A site's front page that names its feed is followed to the feed.

    Raises:
        NotFoundError: There is no such newsletter.
        UsageError: It would be collected more often than every five minutes, or less
            often than once a year.
        StateError: The newsletter has it already.
        RefusedError: It cannot be fetched or is no source.
    """
    if not SHORTEST <= every <= LONGEST:
        raise UsageError(
            "A source is collected once in five minutes at most, and once a year.",
            "Example: --every 1h",
        )
    with db.read() as tx:
        target = newsletters.get(tx, newsletter)
    zone = ZoneInfo(target.time_zone)
    address, found_kind, feed = discover(url, kind=kind, fetcher=fetcher, zone=zone)
    with db.write() as tx:
        source = sources.add(
            tx,
            newsletter_id=target.id,
            url=address,
            kind=found_kind,
            title=feed.title,
            every=every,
            now=now,
        )
        _record(tx, source, "added", actor, now)
    latest = _preview(Pool(newsletter=target, actor=actor, now=now), feed)
    return Added(source=source, latest=latest[:SHOWN], unmapped=_unmapped(latest))


def map_categories(
    db: Database,
    *,
    source: str,
    categories: Mapping[str, str],
    actor: Actor,
    now: datetime,
) -> Source:
    """Say which sections a source's categories belong to; others keep theirs.

    Args:
        db: The database.
        source: Its id or address.
        categories: Category → section slug.
        actor: Who decides.
        now: The present instant.

    Raises:
        NotFoundError: There is no such source or section.
    """
    with db.write() as tx:
        found = sources.find(tx, source)
        target = newsletters.get_by_id(tx, found.newsletter_id)
        for slug in categories.values():
            target.require_section(slug)
        merged = {**found.category_map, **categories}
        sources.set_category_map(tx, found.id, merged)
        _record(tx, found, "mapped", actor, now)
        return replace(found, category_map=merged)


def collect(
    db: Database,
    *,
    fetcher: Fetcher,
    actor: Actor,
    now: datetime,
    newsletter: str | None = None,
    due_only: bool = False,
) -> list[Collected]:
    """Collect every source; the failure of one is kept with it and stops no other.

    Args:
        db: The database.
        fetcher: The guarded client.
        actor: Who collects.
        now: The present instant.
        newsletter: Of this newsletter only; None: of all.
        due_only: Leave out those whose interval has not passed.

    Raises:
        NotFoundError: There is no such newsletter.
    """
    with db.read() as tx:
        only = newsletters.get(tx, newsletter).id if newsletter else None
        listed = sources.list_page(tx, only)
        targets = {n.id: n for n in newsletters.list_all(tx)}
    return [
        _collect_one(
            db,
            source,
            targets[source.newsletter_id],
            fetcher=fetcher,
            actor=actor,
            now=now,
        )
        for source in listed
        if not due_only or source.is_due(now)
    ]


def _collect_one(
    db: Database,
    source: Source,
    target: Newsletter,
    *,
    fetcher: Fetcher,
    actor: Actor,
    now: datetime,
) -> Collected:
    result = Collected(source=source)
    try:
        answer, feed = _fetch(source, fetcher, ZoneInfo(target.time_zone))
    except DigestError as error:
        result.error = str(error)
        with db.write() as tx:
            sources.mark_failed(tx, source.id, result.error)
            _record(tx, source, "failed", actor, now)
        return result
    result.not_modified = feed is None
    pool = Pool(
        newsletter=target,
        actor=actor,
        now=now,
        source_id=source.id,
        category_map=source.category_map,
    )
    with db.write() as tx:
        if feed is not None:
            named = name_source(feed, known=source.title)
            pool.store(tx, named, result.report)
        sources.mark_collected(
            tx,
            source.id,
            title=(feed.title if feed else "") or source.title,
            etag=answer.etag if answer else None,
            last_modified=answer.last_modified if answer else None,
            now=now,
        )
        _record(tx, source, "collected", actor, now)
    result.unmapped = _unmapped(result.report.imported + result.report.updated)
    return result


def _fetch(
    source: Source, fetcher: Fetcher, zone: ZoneInfo
) -> tuple[Fetched | None, Feed | None]:
    """Return the answer and its stories; no stories where nothing changed."""
    if source.kind == Kind.WORDPRESS:
        since = source.collected_at - _OVERLAP if source.collected_at else None
        return None, collect_posts(fetcher, source.url, zone=zone, modified_after=since)
    answer = fetcher.get(
        source.url,
        etag=source.etag,
        last_modified=source.last_modified,
        accept=ACCEPT,
    )
    if answer.not_modified:
        # RFC 9110 §15.4.5: a 304 need not repeat the validators.
        kept = replace(
            answer,
            etag=answer.etag or source.etag,
            last_modified=answer.last_modified or source.last_modified,
        )
        return kept, None
    return answer, read_answer(answer, zone=zone)


def _preview(pool: Pool, feed: Feed) -> list[Draft]:
    drafts: list[Draft] = []
    for item in feed.items:
        try:
            drafts.append(pool.prepare(item))
        except RefusedError:
            continue
    return drafts


def _unmapped(stories: Sequence[Draft]) -> tuple[str, ...]:
    names = (c for story in stories if not story.section for c in story.categories)
    return tuple(dict.fromkeys(names))


def _record(tx: Tx, source: Source, what: str, actor: Actor, now: datetime) -> None:
    audit.record(
        tx,
        actor=actor,
        action=f"source.{what}",
        subject=("source", source.id),
        now=now,
    )
