"""What readers thought of editions, and why they left: answers without names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, insert, select

from digest.domain.opinions import Answer, LeavingReason
from digest.storage import tables
from digest.storage.engine import Tx


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """One answer.

    Attributes:
        id: Row id.
        edition_id: About which edition.
        newsletter: Its slug.
        issue_date: The edition's.
        answer: One of three.
        words: The reader's own; may be empty.
        at: When.
    """

    id: int
    edition_id: int
    newsletter: str
    issue_date: date
    answer: Answer
    words: str
    at: datetime


def add(
    tx: Tx, edition_id: int, answer: Answer, *, words: str = "", now: datetime
) -> None:
    """Store one answer, and the words with it."""
    tx.execute(
        insert(tables.opinions).values(
            edition_id=edition_id, answer=answer, words=words, at=now
        )
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


def list_page(
    tx: Tx,
    *,
    edition_id: int | None = None,
    only_words: bool = False,
    after: int = 0,
    limit: int,
) -> Sequence[Opinion]:
    """Load answers, the latest first.

    Args:
        tx: A transaction.
        edition_id: Only about this edition; None: about any.
        only_words: Leave out answers without words.
        after: Row id of the last one of the page before; 0: from the latest.
        limit: At most so many.
    """
    c, e = tables.opinions.c, tables.editions.c
    query = (
        select(tables.opinions, e.issue_date, tables.newsletters.c.slug)
        .join(tables.editions, e.id == c.edition_id)
        .join(tables.newsletters, tables.newsletters.c.id == e.newsletter_id)
        .order_by(c.id.desc())
        .limit(limit)
    )
    if edition_id is not None:
        query = query.where(c.edition_id == edition_id)
    if only_words:
        query = query.where(c.words != "")
    if after:
        query = query.where(c.id < after)
    return [
        Opinion(
            id=row.id,
            edition_id=row.edition_id,
            newsletter=row.slug,
            issue_date=row.issue_date,
            answer=Answer(row.answer),
            words=row.words,
            at=row.at,
        )
        for row in tx.execute(query)
    ]


def add_reason(
    tx: Tx, newsletter_id: int, reason: LeavingReason, *, given_on: date
) -> None:
    """Count why somebody left."""
    tx.execute(
        insert(tables.leaving_reasons).values(
            newsletter_id=newsletter_id, reason=reason, given_on=given_on
        )
    )


def count_reasons(
    tx: Tx, newsletter_id: int, *, since: date | None = None
) -> Mapping[LeavingReason, int]:
    """Count why readers left a newsletter; a reason that nobody gave counts 0."""
    c = tables.leaving_reasons.c
    query = (
        select(c.reason, func.count().label("n"))
        .where(c.newsletter_id == newsletter_id)
        .group_by(c.reason)
    )
    if since is not None:
        query = query.where(c.given_on >= since)
    found = {row.reason: row.n for row in tx.execute(query)}
    return {reason: found.get(reason, 0) for reason in LeavingReason}
