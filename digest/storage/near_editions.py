"""Editions of the present: what a changed schedule may meet."""

from datetime import date

from sqlalchemy import select

from digest.domain.editions import Edition
from digest.domain.states import EditionKind
from digest.storage import editions, tables
from digest.storage.engine import Tx


def since(tx: Tx, *, newsletter_id: int, first: date) -> list[Edition]:
    """Load a newsletter's weekly editions of a date and later, last revisions first."""
    c = tables.editions.c
    query = (
        select(c.id)
        .where(
            c.newsletter_id == newsletter_id,
            c.kind == EditionKind.WEEKLY,
            c.issue_date >= first,
        )
        .order_by(c.issue_date, c.revision.desc())
    )
    return [editions.get(tx, id_) for id_ in tx.execute(query).scalars()]
