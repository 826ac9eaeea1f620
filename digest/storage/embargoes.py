"""Embargoes: which stories no reader may see yet.

An embargo on one copy of a story holds for every newsletter's copy of it: the web
address says that they are one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from digest.domain.articles import Article
from digest.domain.states import EditionState
from digest.storage import tables
from digest.storage.engine import Tx

_a = tables.articles.c
_copies = tables.articles.alias("copies")
_c = _copies.c


@dataclass(frozen=True, kw_only=True)
class Embargo:
    """A story of an edition that may not be seen yet.

    Attributes:
        article_id: The article it was made from.
        until: When it may be.
    """

    article_id: int
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """An edition that carries a story.

    Attributes:
        edition_id: Which.
        state: Where it is.
    """

    edition_id: int
    state: EditionState


def is_embargoed(at: datetime) -> ColumnElement[bool]:
    """Whether the article that a statement is about may not be seen at an instant."""
    held = select(_c.id).where(_is_copy(), _c.embargo_until > at)
    return held.correlate(tables.articles).exists()


def of_edition(tx: Tx, edition_id: int, *, at: datetime | None = None) -> list[Embargo]:
    """Find the stories of an edition that may not be seen at an instant.

    Args:
        tx: A transaction.
        edition_id: The edition.
        at: The instant; None: embargoes that have ended count, too.
    """
    s = tables.stories.c
    is_held = _c.embargo_until.is_not(None) if at is None else _c.embargo_until > at
    until = func.max(_c.embargo_until, type_=_c.embargo_until.type)
    rows = tx.execute(
        select(s.article_id, until.label("until"))
        .select_from(tables.stories)
        .join(tables.articles, _a.id == s.article_id)
        .join(_copies, _is_copy())
        .where(s.edition_id == edition_id, is_held)
        .group_by(s.article_id, s.position)
        .order_by(s.position)
    )
    return [Embargo(article_id=row.article_id, until=row.until) for row in rows]


def put(tx: Tx, article: Article, until: datetime | None) -> list[int]:
    """Let a person's word rule an article's embargo and that of its copies.

    Returns:
        The ids of the copies in other newsletters' pools.
    """
    same = _a.id == article.id
    if article.url:
        key = select(_c.url_key).where(_c.id == article.id).scalar_subquery()
        same = or_(same, _a.url_key == key)
    rows = tx.execute(
        update(tables.articles)
        .where(same)
        .values(embargo_until=until, embargo_by_hand=True)
        .returning(_a.id)
    )
    return sorted(found for found in rows.scalars() if found != article.id)


def carriers(tx: Tx, ids: Sequence[int]) -> list[Carrier]:
    """Find the editions that carry one of some articles, cancelled ones aside."""
    e, s = tables.editions.c, tables.stories.c
    rows = tx.execute(
        select(e.id, e.state)
        .where(
            e.state != EditionState.CANCELLED,
            e.id.in_(select(s.edition_id).where(s.article_id.in_(ids))),
        )
        .order_by(e.id)
    )
    return [Carrier(edition_id=row.id, state=EditionState(row.state)) for row in rows]


def _is_copy() -> ColumnElement[bool]:
    return or_(_c.id == _a.id, and_(_a.url_key.is_not(None), _c.url_key == _a.url_key))
