"""Newsletters whose reference week, and some issues before it, readers have got."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from digest.compose.correction import title_of
from digest.domain.editions import Edition, Story
from digest.domain.newsletters import Newsletter
from digest.domain.states import EditionKind, EditionState
from digest.storage import editions, newsletters
from digest.storage.engine import Database
from digest.templating import Templates
from tests.builders import NOW
from tests.drawings import put_files
from tests.weeks import add_article

_OLD = (date(2024, 5, 5), date(2024, 4, 28), date(2023, 12, 31))


def release_week(
    db: Database, week: tuple[Edition, Newsletter, Sequence[Story]]
) -> str:
    """Store a newsletter, its reference week and earlier issues of the same words."""
    edition, seed, told = week
    with db.write() as tx:
        newsletter = newsletters.add(tx, seed, now=NOW)
    put_files(db, told)
    for number, day in enumerate((edition.issue_date, *_OLD)):
        stories = [
            replace(
                story,
                article_id=add_article(
                    db, newsletter, title=f"{story.title} {number}"
                ).id,
            )
            for story in told
        ]
        sent = replace(
            edition,
            newsletter_id=newsletter.id,
            issue_date=day,
            number=edition.number - number,
            state=EditionState.SENT,
            released_at=NOW - timedelta(days=7 * number),
        )
        with db.write() as tx:
            editions.insert_edition(tx, sent, stories)
    return newsletter.slug


def release_correction(db: Database, slug: str) -> None:
    """Store a correction of a newsletter's latest issue, its lead told anew."""
    with db.write() as tx:
        newsletter = newsletters.get(tx, slug)
        (wrong,) = editions.released(tx, newsletter_id=newsletter.id, limit=1)
        lead = editions.stories(tx, wrong.id)[:1]
        correction = replace(
            wrong,
            kind=EditionKind.CORRECTION,
            corrects=wrong.id,
            subject=title_of(wrong.subject, newsletter, templates=Templates()),
            opening=wrong.opening,
            why="",
            sponsor=None,
            support=None,
            picks=(),
        )
        editions.insert_edition(tx, correction, lead)
