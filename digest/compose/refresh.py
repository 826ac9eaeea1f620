"""Bring a draft that nobody touched up to date with stories that came in since."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.compose.edit import Changes, StoryWords, edit
from digest.compose.hour import days_carried, goes_at
from digest.domain.actor import Actor
from digest.domain.articles import Article
from digest.domain.editions import Edition, Story
from digest.domain.newsletters import Newsletter
from digest.domain.site import Site
from digest.domain.states import EditionState
from digest.storage import arrivals, articles, audit, editions, newsletters
from digest.storage.engine import Database, Tx
from digest.templating import Templates


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """What came in since the draft.

    Attributes:
        added: Stories the draft has now, too.
        waiting: Stories that would have been taken, had nobody touched the draft.
    """

    added: Sequence[str] = ()
    waiting: Sequence[str] = ()


def refresh(
    db: Database,
    *,
    edition_id: int,
    templates: Templates,
    site: Site,
    actor: Actor,
    now: datetime,
) -> Refreshed:
    """Take new stories and new headlines into a draft that is still as composed.

    Args:
        db: The database.
        edition_id: The edition.
        templates: The installation's templates.
        site: Its public addresses.
        actor: Who composes.
        now: The present.

    Raises:
        NotFoundError: There is no such edition.
        StateError: Somebody changed it meanwhile.
    """
    with db.read() as tx:
        edition = editions.get(tx, edition_id)
        newsletter = newsletters.get_by_id(tx, edition.newsletter_id)
        stories = editions.stories(tx, edition_id)
        candidates = _came_in_since(tx, edition, now)
        hands = audit.actors_of(tx, "edition.edited", ("edition", edition_id))
        sources = articles.get_many(tx, [story.article_id for story in stories])
    new = _fitting(candidates, stories, newsletter)
    titles = tuple(article.title for article in new)
    if not _is_as_composed(edition, hands - {str(actor)}):
        return Refreshed(waiting=titles)
    changes = Changes(
        add=[article.id for article in new],
        stories={
            article.id: StoryWords(title=article.title, standfirst=article.standfirst)
            for article in sources
        },
    )
    edit(
        db,
        edition_id=edition_id,
        changes=changes,
        templates=templates,
        site=site,
        actor=actor,
        now=now,
    )
    return Refreshed(added=titles)


def _came_in_since(tx: Tx, edition: Edition, now: datetime) -> list[Article]:
    first, last = days_carried(tx, edition.newsletter_id, edition.issue_date)
    found = articles.candidates(
        tx,
        newsletter_id=edition.newsletter_id,
        first=first,
        last=last,
        at=max(now, goes_at(tx, edition) or now),
    )
    # What was left out before stays so: there was no room, or somebody chose.
    new = arrivals.since(tx, [a.id for a in found], edition.created_at)
    return [article for article in found if article.id in new]


def _is_as_composed(edition: Edition, hands: set[str]) -> bool:
    return edition.state is EditionState.DRAFT and edition.held_at is None and not hands


def _fitting(
    candidates: Sequence[Article], stories: Sequence[Story], newsletter: Newsletter
) -> list[Article]:
    """Choose what there is room for, section by section."""
    taken = Counter(story.section for story in stories)
    chosen = []
    for article in candidates:
        section = newsletter.section(article.section or newsletter.sections[0].slug)
        if section is not None and taken[section.slug] < section.cap:
            taken[section.slug] += 1
            chosen.append(article)
    return chosen
