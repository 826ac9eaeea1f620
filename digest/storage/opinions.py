"""What readers thought of editions: answers without names."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, insert, select

from digest.domain.opinions import Answer
from digest.storage import tables
from digest.storage.engine import Tx


def add(tx: Tx, edition_id: int, answer: Answer, *, now: datetime) -> None:
    """Store one answer."""
    tx.execute(
        insert(tables.opinions).values(edition_id=edition_id, answer=answer, at=now)
    )


def counts(tx: Tx, edition_id: int) -> Mapping[Answer, int]:
    """Count an edition's answers; an answer that nobody gave counts 0."""
    c = tables.opinions.c
    query = (
        select(c.answer, func.count().label("n"))
        .where(c.edition_id == edition_id)
        .group_by(c.answer)
    )
    found = {row.answer: row.n for row in tx.execute(query)}
    return {answer: found.get(answer, 0) for answer in Answer}
