"""Articles: the pool of stories a newsletter draws its editions from."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, insert, or_, select, update

from digest.domain.articles import (
    Article,
    Draft,
    Image,
    Outcome,
    Stored,
    count_words,
    hash_text,
    merge,
    read_embargo,
)
from digest.domain.errors import NotFoundError
from digest.domain.states import EditionState
from digest.domain.webaddresses import url_key
from digest.storage import tables
from digest.storage.embargoes import is_embargoed
from digest.storage.engine import Tx

_c = tables.articles.c


def store(
    tx: Tx,
    draft: Draft,
    *,
    newsletter_id: int,
    now: datetime,
    source_id: int | None = None,
) -> Stored:
    """Put a story into a newsletter's pool, or update the one it is a copy of.

    Two drafts are one story when their canonical addresses agree, else when their
    texts do. Stories of editions already composed are not touched.

    Returns:
        What happened, and the story as it is now.
    """
    _lock_pool(tx, newsletter_id)
    known = _find(tx, draft, newsletter_id=newsletter_id)
    embargo = read_embargo(draft.embargo_until, known, now=now)
    if known is None:
        fresh = replace(draft, embargo_until=embargo)
        return _insert(tx, fresh, newsletter_id, source_id, now)
    merged = replace(merge(known, draft), embargo_until=embargo)
    if merged == _as_draft(known):
        return Stored(outcome=Outcome.UNCHANGED, article=known)
    tx.execute(
        update(tables.articles)
        .where(_c.id == known.id)
        .values(**_values(merged), updated_at=now)
    )
    return Stored(outcome=Outcome.UPDATED, article=get(tx, known.id))


def get(tx: Tx, article_id: int) -> Article:
    """Load one article.

    Raises:
        NotFoundError: There is none of that id.
    """
    row = tx.execute(select(tables.articles).where(_c.id == article_id)).one_or_none()
    if row is None:
        raise NotFoundError(
            f"There is no article {article_id}.", "See: digest articles list"
        )
    return _load(row)


def get_many(tx: Tx, ids: Sequence[int]) -> list[Article]:
    """Load articles in the order of `ids`.

    Raises:
        NotFoundError: One of them does not exist.
    """
    rows = tx.execute(select(tables.articles).where(_c.id.in_(ids))).all()
    found = {row.id: _load(row) for row in rows}
    if missing := [str(i) for i in ids if i not in found]:
        raise NotFoundError(
            f"There is no article {', '.join(missing)}.", "See: digest articles list"
        )
    return [found[i] for i in ids]


def list_page(
    tx: Tx, newsletter_id: int | None, after: int | None, limit: int
) -> list[Article]:
    """Load up to `limit` articles, the last stored first.

    Args:
        tx: A transaction.
        newsletter_id: Of this newsletter only; None: of all.
        after: The id of the last article of the page before; None: from the start.
        limit: How many.
    """
    query = select(tables.articles).order_by(_c.id.desc()).limit(limit)
    if newsletter_id is not None:
        query = query.where(_c.newsletter_id == newsletter_id)
    if after is not None:
        query = query.where(_c.id < after)
    return [_load(row) for row in tx.execute(query)]


def candidates(
    tx: Tx, *, newsletter_id: int, first: date, last: date, at: datetime
) -> list[Article]:
    """Load the stories an edition may propose.

    Args:
        tx: A transaction.
        newsletter_id: Whose pool.
        first: First local date of publication, inclusive.
        last: Last local date, inclusive.
        at: When the edition goes; what is under embargo then is left out.

    Returns:
        Stories of those dates, or whose embargo ended meanwhile, that no edition
        carries, cancelled ones aside: featured first, then the newest.
    """
    # A day more: what was under embargo when the last issue went is for this one.
    after_last = datetime.combine(first - timedelta(days=1), time(), tzinfo=UTC)
    stories, editions = tables.stories.c, tables.editions.c
    carried = exists().where(
        stories.article_id == _c.id,
        editions.id == stories.edition_id,
        editions.state != EditionState.CANCELLED,
    )
    rows = tx.execute(
        select(tables.articles)
        .where(
            _c.newsletter_id == newsletter_id,
            or_(
                _c.published_on.between(first, last),
                _c.embargo_until.between(after_last, at),
            ),
            ~carried,
            ~is_embargoed(at),
        )
        .order_by(_c.featured.desc(), _c.published_on.desc(), _c.id.desc())
    )
    return [_load(row) for row in rows]


def _lock_pool(tx: Tx, newsletter_id: int) -> None:
    # Two imports of one story at once must find each other's row. SQLite's write
    # transactions are alone anyway and ignore FOR UPDATE.
    newsletters = tables.newsletters
    tx.execute(
        select(newsletters.c.id)
        .where(newsletters.c.id == newsletter_id)
        .with_for_update()
    )


def _find(tx: Tx, draft: Draft, *, newsletter_id: int) -> Article | None:
    if draft.url:
        same = _first(tx, newsletter_id, _c.url_key == url_key(draft.url))
        if same is not None:
            return same
    return _first(tx, newsletter_id, _c.text_hash == hash_text(draft))


def _first(
    tx: Tx, newsletter_id: int, condition: ColumnElement[bool]
) -> Article | None:
    row = tx.execute(
        select(tables.articles)
        .where(_c.newsletter_id == newsletter_id, condition)
        .order_by(_c.id)
        .limit(1)
    ).one_or_none()
    return None if row is None else _load(row)


def _insert(
    tx: Tx, draft: Draft, newsletter_id: int, source_id: int | None, now: datetime
) -> Stored:
    row = tx.execute(
        insert(tables.articles)
        .values(
            **_values(draft),
            newsletter_id=newsletter_id,
            source_id=source_id,
            created_at=now,
            updated_at=now,
        )
        .returning(tables.articles)
    ).one()
    return Stored(outcome=Outcome.IMPORTED, article=_load(row))


def _values(draft: Draft) -> Mapping[str, Any]:
    values = asdict(draft)
    image = values.pop("image")
    return values | {
        "url_key": url_key(draft.url) if draft.url else None,
        "text_hash": hash_text(draft),
        "image_url": image["url"],
        "image_credit": image["credit"],
        "image_alt": image["alt"],
        "word_count": count_words(draft.paragraphs),
    }


def _as_draft(article: Article) -> Draft:
    return Draft(**{f.name: getattr(article, f.name) for f in fields(Draft)})


def _load(row: Row[Any]) -> Article:
    return Article(
        id=row.id,
        newsletter_id=row.newsletter_id,
        title=row.title,
        url=row.url,
        published_on=row.published_on,
        author=row.author,
        section=row.section,
        standfirst=row.standfirst,
        image=Image(url=row.image_url, credit=row.image_credit, alt=row.image_alt),
        paragraphs=tuple(row.paragraphs),
        source=row.source,
        language=row.language,
        categories=tuple(row.categories),
        featured=row.featured,
        flags=tuple(row.flags),
        word_count=row.word_count,
        embargo_until=row.embargo_until,
        embargo_by_hand=row.embargo_by_hand,
    )
