"""Which articles came in lately."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from digest.storage import tables
from digest.storage.engine import Tx


def since(tx: Tx, article_ids: Sequence[int], at: datetime) -> set[int]:
    """Return which of some articles came in after an instant."""
    c = tables.articles.c
    query = select(c.id).where(c.id.in_(article_ids), c.created_at > at)
    return set(tx.execute(query).scalars())
