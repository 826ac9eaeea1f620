"""What editions before this one carried, and what readers chose to get."""

from collections.abc import Sequence

from sqlalchemy import select

from digest.domain.editions import Edition, Story
from digest.domain.states import EditionKind, EditionState, SubscriptionState
from digest.storage import editions, tables
from digest.storage.engine import Tx


def stories_before(
    tx: Tx, edition: Edition, *, issues: int
) -> Sequence[tuple[int, Story]]:
    """Load the stories of the last issues of the same newsletter.

    Args:
        tx: A transaction.
        edition: The edition in question.
        issues: How many editions to look back; cancelled ones do not count.

    Returns:
        Each story with its issue's number, the latest issue first.
    """
    c = tables.editions.c
    query = (
        select(c.id, c.number)
        .where(
            c.newsletter_id == edition.newsletter_id,
            c.id != edition.id,
            c.kind == EditionKind.WEEKLY,
            c.issue_date <= edition.issue_date,
            c.state != EditionState.CANCELLED,
        )
        .order_by(c.issue_date.desc(), c.id.desc())
        .limit(issues)
    )
    rows = tx.execute(query).all()
    return [(row.number, s) for row in rows for s in editions.stories(tx, row.id)]


def chosen_sections(tx: Tx, newsletter_id: int, *, limit: int) -> list[str]:
    """Return the choices of sections that active readers made.

    Returns:
        Slugs, sorted, comma separated; empty for all sections.
    """
    c = tables.subscriptions.c
    query = (
        select(c.sections)
        .where(c.newsletter_id == newsletter_id, c.state == SubscriptionState.ACTIVE)
        .distinct()
        .order_by(c.sections)
        .limit(limit)
    )
    return list(tx.execute(query).scalars())
