"""Compose a draft: the week's stories, chosen and ordered, with a proposed subject."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from digest.compose.content import content_hash
from digest.compose.hour import days_carried, hour_of
from digest.compose.order import choose
from digest.compose.proposal import propose
from digest.domain.actor import Actor
from digest.domain.articles import Article
from digest.domain.editions import Edition, Story
from digest.domain.errors import NotFoundError, RefusedError, StateError
from digest.domain.issue import local_date
from digest.domain.newsletters import Newsletter
from digest.domain.site import Site
from digest.domain.states import EditionKind, EditionState
from digest.storage import articles as pool, audit, editions, newsletters
from digest.storage.engine import Database, Tx
from digest.templating import Templates


@dataclass(frozen=True, kw_only=True)
class Composed:
    """An edition with its stories, and what the editor should know about it."""

    edition: Edition
    newsletter: Newsletter
    stories: Sequence[Story]
    notes: tuple[str, ...] = ()


def compose(
    db: Database,
    *,
    newsletter: str,
    templates: Templates,
    site: Site,
    actor: Actor,
    now: datetime,
    issue_date: date | None = None,
    articles: Sequence[int] = (),
) -> Composed:
    """Compose the weekly edition of an issue date.

    Args:
        db: The database.
        newsletter: Its name.
        templates: The installation's templates.
        site: Its public addresses.
        actor: Who composes.
        now: The present.
        issue_date: Default: today, where the newsletter lives.
        articles: The ids of picked articles, the lead first; none: stories of the
            seven local dates that end with the issue date, or of all since the
            issue date before, where the newsletter appears less often.

    Returns:
        The draft.

    Raises:
        NotFoundError: There is no such newsletter or article, or no story waits.
        StateError: The issue date has an edition that was not cancelled.
    """
    with db.write() as tx:
        owner = newsletters.get(tx, newsletter)
        day = issue_date or local_date(now, owner.time_zone)
        revision, number = _place(tx, owner, day)
        found = (
            picked(tx, owner, articles)
            if articles
            else _waiting(tx, owner, day=day, now=now)
        )
        choice = choose(found, owner, picked=bool(articles))
        carried = editions.carried(tx, [s.article_id for s in choice.stories])
        draft = Edition(
            newsletter_id=owner.id,
            issue_date=day,
            revision=revision,
            number=number,
            subject="",
            created_at=now,
            updated_at=now,
        )
        proposal = propose(draft, owner, choice.stories, templates=templates)
        draft = replace(draft, subject=proposal.subject, preheader=proposal.preheader)
        stamp = content_hash(
            draft, owner, choice.stories, templates=templates, site=site
        )
        edition = editions.insert_edition(
            tx, replace(draft, content_hash=stamp), choice.stories
        )
        detail = {"issue_date": day.isoformat(), "stories": len(choice.stories)}
        audit.record(
            tx,
            actor=actor,
            action="edition.composed",
            subject=("edition", edition.id),
            now=now,
            detail=detail,
        )
        return Composed(
            edition=edition,
            newsletter=owner,
            stories=editions.stories(tx, edition.id),
            notes=(*choice.notes, *_carried_notes(carried), *proposal.notes),
        )


def picked(tx: Tx, newsletter: Newsletter, ids: Sequence[int]) -> list[Article]:
    """Load articles a person picked, each once, in the order of the picks.

    Raises:
        NotFoundError: One does not exist.
        RefusedError: One is in another newsletter's pool.
    """
    found = pool.get_many(tx, list(dict.fromkeys(ids)))
    foreign = [str(a.id) for a in found if a.newsletter_id != newsletter.id]
    if foreign:
        raise RefusedError(
            f"Article {', '.join(foreign)} is not in the pool of {newsletter.slug}.",
            "Import it there: digest articles import --newsletter "
            f"{newsletter.slug} SOURCE",
        )
    return found


def _place(tx: Tx, newsletter: Newsletter, day: date) -> tuple[int, int]:
    """Find the revision and number of the next edition of a date."""
    earlier = editions.of_issue(
        tx, newsletter_id=newsletter.id, kind=EditionKind.WEEKLY, issue_date=day
    )
    standing = next((e for e in earlier if e.state != EditionState.CANCELLED), None)
    if standing is not None:
        raise StateError(
            f"The issue of {day} has edition {standing.id} already; "
            f"it is {standing.state}.",
            f"Edit it (digest editions edit {standing.id}), or cancel it and compose "
            f"again (digest editions cancel {standing.id}).",
        )
    if earlier:
        return earlier[0].revision + 1, earlier[0].number
    return 1, editions.highest_number(tx, newsletter.id) + 1


def _waiting(
    tx: Tx, newsletter: Newsletter, *, day: date, now: datetime
) -> list[Article]:
    first, last = days_carried(tx, newsletter.id, day)
    at = max(now, hour_of(tx, newsletter.id, day) or now)
    found = pool.candidates(
        tx, newsletter_id=newsletter.id, first=first, last=last, at=at
    )
    if not found:
        raise NotFoundError(
            f"No story of {first} to {last} is waiting for {newsletter.slug}.",
            "Import some (digest articles import SOURCE), pick older ones "
            "(--articles ID,…) or name another --issue-date.",
        )
    return found


def _carried_notes(carried: dict[int, int]) -> tuple[str, ...]:
    return tuple(
        f"Article {article_id} was in No. {number} already."
        for article_id, number in sorted(carried.items())
    )
