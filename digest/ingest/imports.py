"""Bring stories in: read each input, normalise, store once, say what happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from digest.domain.actor import Actor
from digest.domain.articles import Article, Draft, Image, Outcome, Stored
from digest.domain.errors import DigestError, RefusedError, UsageError
from digest.domain.newsletters import Newsletter
from digest.domain.webaddresses import require_url
from digest.fetch.client import Fetcher
from digest.ingest.decoding import Kind
from digest.ingest.embargo import put_embargo
from digest.ingest.feeds import Feed, Item
from digest.ingest.inputs import ReadStdin, read_input
from digest.ingest.normalise import normalise
from digest.ingest.sections import flags_for, guess_section
from digest.storage import articles, audit, newsletters
from digest.storage.engine import Database, Tx


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """What did not go in.

    Attributes:
        source: The input, or the address or title of the story in it.
        reason: One line, with the mend.
    """

    source: str
    reason: str


@dataclass(kw_only=True)
class Report:
    """What an import did, story by story.

    Attributes:
        imported: Stories not seen before.
        updated: Known stories that their source has edited.
        unchanged: Known stories, the same as before.
        rejected: What did not go in, each with its reason.
    """

    imported: list[Article] = field(default_factory=list)
    updated: list[Article] = field(default_factory=list)
    unchanged: list[Article] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        """How many stories are in the pool now, newly or still."""
        return len(self.imported) + len(self.updated) + len(self.unchanged)

    def add(self, stored: Stored) -> None:
        """Count one story."""
        lists: Mapping[Outcome, list[Article]] = {
            Outcome.IMPORTED: self.imported,
            Outcome.UPDATED: self.updated,
            Outcome.UNCHANGED: self.unchanged,
        }
        lists[stored.outcome].append(stored.article)

    def reject(self, source: str, reason: object) -> None:
        """Count what did not go in."""
        self.rejected.append(Rejected(source=source, reason=str(reason)))


def import_sources(
    db: Database,
    *,
    newsletter: str,
    inputs: Sequence[str],
    fetcher: Fetcher,
    actor: Actor,
    now: datetime,
    kind: Kind = Kind.AUTO,
    url: str | None = None,
    section: str | None = None,
    source: str = "",
    stdin: ReadStdin = lambda _: b"",
) -> Report:
    """Import files, web addresses and standard input into a newsletter's pool.

    Each input is stored whole or, where it cannot be read, not at all; within a feed a
    broken item is rejected and the rest goes in.

    Args:
        db: The database.
        newsletter: Whose pool, by name.
        inputs: Paths, http(s) addresses, or `-`.
        fetcher: The guarded client.
        actor: Who imports.
        now: The present instant.
        kind: How to read the inputs.
        url: The address of the one story given as a file.
        section: Put every story into this section instead of guessing.
        source: The publication's name, for every story; empty: what the input says.
        stdin: Reads standard input.

    Raises:
        NotFoundError: There is no such newsletter or section.
        UsageError: One address was given for several inputs.
    """
    if url is not None and len(inputs) > 1:
        raise UsageError("--url belongs to one story.", "Import the files one by one.")
    with db.read() as tx:
        target = newsletters.get(tx, newsletter)
    if section is not None:
        target.require_section(section)
    zone = ZoneInfo(target.time_zone)
    report = Report()
    for name in inputs:
        try:
            found = read_input(
                name, kind=kind, url=url, fetcher=fetcher, zone=zone, stdin=stdin
            )
        except DigestError as error:
            report.reject(name, error)
            continue
        given = name_source(replace_url(found, url), given=source)
        with db.write() as tx:
            Pool(newsletter=target, actor=actor, now=now, section=section).store(
                tx, given, report
            )
    return report


def add_by_hand(
    db: Database,
    *,
    newsletter: str,
    title: str,
    url: str,
    standfirst: str,
    actor: Actor,
    now: datetime,
    section: str | None = None,
    image: Image | None = None,
    embargo: datetime | None = None,
) -> Stored:
    """Store a story that a person typed; it is dated today, in the newsletter's zone.

    Args:
        db: The database.
        newsletter: Whose pool, by name.
        title: The headline.
        url: Where it can be read.
        standfirst: One or two sentences.
        actor: Who typed it.
        now: The present instant.
        section: Its section's slug.
        image: Its picture.
        embargo: No reader may see it before this instant; None: as it is.

    Raises:
        NotFoundError: There is no such newsletter or section.
        RefusedError: The title is empty or an address is none.
    """
    with db.read() as tx:
        target = newsletters.get(tx, newsletter)
    if section is not None:
        target.require_section(section)
    picture = image or Image()
    for address in filter(None, (url, picture.url)):
        require_url(address)
    draft = Draft(
        title=title,
        url=url,
        standfirst=standfirst,
        image=picture,
        section=section,
        published_on=now.astimezone(ZoneInfo(target.time_zone)).date(),
        language=target.language,
    )
    clean = normalise(draft, as_written=True)
    clean = replace(clean, flags=flags_for(clean.section, clean.flags))
    with db.write() as tx:
        stored = articles.store(tx, clean, newsletter_id=target.id, now=now)
        _record(tx, stored, actor, now)
        if embargo is not None:
            held = put_embargo(tx, stored.article, embargo, actor, now)
            stored = replace(stored, article=held.article)
    return stored


def replace_url(feed: Feed, url: str | None) -> Feed:
    """Give the one story of an input the address its importer named."""
    draft = feed.items[0].draft if len(feed.items) == 1 else None
    if url is None or draft is None:
        return feed
    item = replace(feed.items[0], draft=replace(draft, url=url))
    return replace(feed, items=(item,))


def name_source(feed: Feed, *, given: str = "", known: str = "") -> Feed:
    """Name the publication of every story of a feed.

    Args:
        feed: The stories; each may name its own.
        given: What a person says; it rules.
        known: What the feed was called before, where it does not say now.
    """
    called = feed.title or known
    items = tuple(
        replace(item, draft=replace(d, source=given or d.source or called))
        if (d := item.draft)
        else item
        for item in feed.items
    )
    return replace(feed, items=items)


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Where the stories of an import go.

    Attributes:
        newsletter: Whose pool.
        actor: Who imports.
        now: The present instant.
        section: For every story; None: guess.
        source_id: The source they were collected from, or None.
        category_map: That source's table.
    """

    newsletter: Newsletter
    actor: Actor
    now: datetime
    section: str | None = None
    source_id: int | None = None
    category_map: Mapping[str, str] = field(default_factory=dict)

    def store(self, tx: Tx, feed: Feed, report: Report) -> None:
        """Normalise and store every story of a feed, oldest first."""
        for item in reversed(feed.items):
            try:
                draft = self.prepare(item)
            except RefusedError as error:
                report.reject(item.label, error)
                continue
            stored = articles.store(
                tx,
                draft,
                newsletter_id=self.newsletter.id,
                source_id=self.source_id,
                now=self.now,
            )
            _record(tx, stored, self.actor, self.now)
            report.add(stored)

    def prepare(self, item: Item) -> Draft:
        """Normalise one story and give it its section.

        Raises:
            RefusedError: It is not fit to be stored.
        """
        if item.draft is None:
            raise RefusedError(item.reason)
        draft = normalise(item.draft)
        guessed = self.section or guess_section(
            draft.categories, self.newsletter.sections, self.category_map
        )
        return replace(draft, section=guessed, flags=flags_for(guessed, draft.flags))


def _record(tx: Tx, stored: Stored, actor: Actor, now: datetime) -> None:
    if stored.outcome is not Outcome.UNCHANGED:
        audit.record(
            tx,
            actor=actor,
            action=f"article.{stored.outcome}",
            subject=("article", stored.article.id),
            now=now,
        )
