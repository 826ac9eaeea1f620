"""Editions, the stories they carry, and their frozen renderings."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update as sql_update

from digest.domain.editions import (
    Edition,
    Pick,
    PickKind,
    Sponsor,
    Story,
    Support,
    Variant,
)
from digest.domain.errors import NotFoundError, StateError
from digest.domain.states import EditionKind, EditionState, check_edition_move
from digest.storage import stories as story_rows, tables
from digest.storage.engine import Tx
from digest.storage.insertion import insert_once

_CONTENT = (
    *("subject", "preheader", "opening", "opening_by", "why"),
    *("sponsor", "support", "picks", "content_hash"),
)


def get(tx: Tx, edition_id: int) -> Edition:
    """Load one edition.

    Raises:
        NotFoundError: There is none of that id.
    """
    query = select(tables.editions).where(tables.editions.c.id == edition_id)
    row = tx.execute(query).one_or_none()
    if row is None:
        raise NotFoundError(
            f"There is no edition {edition_id}.", "See: digest editions list"
        )
    return _edition(row)


def list_page(tx: Tx, *, after: int | None = None, limit: int) -> list[Edition]:
    """Load editions, newest first.

    Args:
        tx: A transaction.
        after: The id of the last one already seen.
        limit: The most to load.
    """
    c = tables.editions.c
    query = select(tables.editions).order_by(c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(c.id < after)
    return [_edition(row) for row in tx.execute(query)]


def of_issue(
    tx: Tx, *, newsletter_id: int, kind: EditionKind, issue_date: date
) -> list[Edition]:
    """Load every revision made for one issue date, latest first."""
    c = tables.editions.c
    query = (
        select(tables.editions)
        .where(
            c.newsletter_id == newsletter_id,
            c.kind == kind,
            c.issue_date == issue_date,
        )
        .order_by(c.revision.desc())
    )
    return [_edition(row) for row in tx.execute(query)]


def released(tx: Tx, *, newsletter_id: int, limit: int) -> list[Edition]:
    """Load the weekly editions that readers have got, newest issue first."""
    c = tables.editions.c
    public = (EditionState.SENDING, EditionState.PAUSED, EditionState.SENT)
    query = (
        select(tables.editions)
        .where(
            c.newsletter_id == newsletter_id,
            c.kind == EditionKind.WEEKLY,
            c.state.in_(public),
        )
        .order_by(c.issue_date.desc(), c.revision.desc())
        .limit(limit)
    )
    return [_edition(row) for row in tx.execute(query)]


def highest_number(tx: Tx, newsletter_id: int) -> int:
    """Return the highest issue number so far, 0 before the first."""
    c = tables.editions.c
    query = select(func.max(c.number)).where(c.newsletter_id == newsletter_id)
    return int(tx.execute(query).scalar_one() or 0)


def carried(
    tx: Tx, article_ids: Sequence[int], *, besides: int | None = None
) -> dict[int, int]:
    """Find which articles an edition carried that was not cancelled.

    Args:
        tx: A transaction.
        article_ids: The articles in question.
        besides: An edition that does not count.

    Returns:
        Article id to the number of the last issue that carried it.
    """
    e, s = tables.editions.c, tables.stories.c
    query = (
        select(s.article_id, func.max(e.number).label("number"))
        .join(tables.editions, e.id == s.edition_id)
        .where(
            s.article_id.in_(article_ids),
            e.state != EditionState.CANCELLED,
            e.id != (besides or 0),
        )
        .group_by(s.article_id)
    )
    return {row.article_id: row.number for row in tx.execute(query)}


def insert_edition(tx: Tx, edition: Edition, stories: Sequence[Story]) -> Edition:
    """Store a new edition with its stories.

    Returns:
        The stored edition.

    Raises:
        StateError: Somebody else stored the same issue and revision meanwhile.
    """
    values = asdict(edition)
    del values["id"]
    if not insert_once(tx, tables.editions, values):
        raise StateError(
            f"The issue of {edition.issue_date} was composed by somebody else.",
            "See: digest editions list",
        )
    issue = of_issue(
        tx,
        newsletter_id=edition.newsletter_id,
        kind=edition.kind,
        issue_date=edition.issue_date,
    )
    edition_id = issue[0].id
    story_rows.replace_all(tx, edition_id, stories)
    return get(tx, edition_id)


def update(
    tx: Tx, edition: Edition, stories: Sequence[Story], *, replaces: str, now: datetime
) -> Edition:
    """Write a draft's content anew.

    Args:
        tx: A writing transaction.
        edition: The draft as it shall be.
        stories: All its stories.
        replaces: The content hash the change was made from.
        now: When.

    Returns:
        The stored edition.

    Raises:
        StateError: Somebody else changed it meanwhile.
    """
    c = tables.editions.c
    content = asdict(edition)
    values = {name: content[name] for name in _CONTENT}
    changed = tx.execute(
        sql_update(tables.editions)
        .where(
            c.id == edition.id,
            c.state == EditionState.DRAFT,
            c.content_hash == replaces,
        )
        .values(**values, updated_at=now)
    )
    _require_one(changed.rowcount, edition)
    story_rows.replace_all(tx, edition.id, stories)
    return get(tx, edition.id)


def move(
    tx: Tx, edition: Edition, to: EditionState, *, now: datetime, **columns: Any
) -> Edition:
    """Change an edition's state.

    Args:
        tx: A writing transaction.
        edition: The edition as the caller saw it.
        to: Its next state.
        now: When.
        **columns: Further columns to set with it.

    Returns:
        The edition in its new state.

    Raises:
        StateError: The move is not allowed, or somebody else was quicker.
    """
    check_edition_move(edition.id, edition.state, to)
    c = tables.editions.c
    changed = tx.execute(
        sql_update(tables.editions)
        .where(c.id == edition.id, c.state == edition.state)
        .values(state=to, updated_at=now, **columns)
    )
    _require_one(changed.rowcount, edition)
    return get(tx, edition.id)


def put_reason(tx: Tx, edition_id: int, because: str, *, now: datetime) -> Edition:
    """Keep why the warnings of an approved edition were accepted."""
    tx.execute(
        sql_update(tables.editions)
        .where(tables.editions.c.id == edition_id)
        .values(approved_because=because, updated_at=now)
    )
    return get(tx, edition_id)


def due(tx: Tx, *, now: datetime) -> list[int]:
    """Return the scheduled editions whose time has come."""
    c = tables.editions.c
    query = select(c.id).where(c.state == EditionState.SCHEDULED, c.scheduled_at <= now)
    return list(tx.execute(query.order_by(c.scheduled_at)).scalars())


def stories(tx: Tx, edition_id: int) -> list[Story]:
    """Load an edition's stories, the lead first."""
    return story_rows.load(tx, edition_id)


def put_variant(tx: Tx, variant: Variant) -> Variant:
    """Store one rendering; an edition's sections and format name it.

    Returns:
        The stored rendering.
    """
    values = asdict(variant)
    del values["id"]
    row = tx.execute(
        insert(tables.variants).values(**values).returning(*tables.variants.c)
    ).one()
    return _variant(row)


def drop_variants(tx: Tx, edition_id: int) -> None:
    """Remove the renderings of an edition whose approval was withdrawn."""
    c = tables.variants.c
    tx.execute(delete(tables.variants).where(c.edition_id == edition_id))


def variants(tx: Tx, edition_id: int) -> list[Variant]:
    """Load an edition's frozen renderings."""
    c = tables.variants.c
    query = select(tables.variants).where(c.edition_id == edition_id).order_by(c.id)
    return [_variant(row) for row in tx.execute(query)]


def _require_one(rows: int, edition: Edition) -> None:
    if rows != 1:
        raise StateError(
            f"Edition {edition.id} was changed by somebody else meanwhile.",
            f"Look again: digest editions show {edition.id}",
        )


def _edition(row: Row[Any]) -> Edition:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    values["kind"] = EditionKind(values["kind"])
    values["state"] = EditionState(values["state"])
    if values["sponsor"] is not None:
        values["sponsor"] = Sponsor(**values["sponsor"])
    if values["support"] is not None:
        values["support"] = Support(**values["support"])
    values["picks"] = tuple(
        Pick(**pick | {"kind": PickKind(pick["kind"])}) for pick in values["picks"]
    )
    return Edition(**values)


def _variant(row: Row[Any]) -> Variant:
    return Variant(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
