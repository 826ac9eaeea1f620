"""Sources and what was last seen of them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update

from digest.domain.errors import NotFoundError, StateError
from digest.domain.sources import Source
from digest.storage import tables
from digest.storage.engine import Tx

_c = tables.sources.c


def add(
    tx: Tx,
    *,
    newsletter_id: int,
    url: str,
    kind: str,
    title: str,
    every: timedelta,
    now: datetime,
) -> Source:
    """Insert a source.

    Raises:
        StateError: The newsletter has it already.
    """
    known = tx.execute(
        select(_c.id).where(_c.newsletter_id == newsletter_id, _c.url == url)
    ).scalar_one_or_none()
    if known is not None:
        raise StateError(
            f"The newsletter has this source already: {known}.",
            "See: digest sources list",
        )
    row = tx.execute(
        insert(tables.sources)
        .values(
            newsletter_id=newsletter_id,
            url=url,
            kind=kind,
            title=title,
            every_seconds=int(every.total_seconds()),
            category_map={},
            created_at=now,
        )
        .returning(tables.sources)
    ).one()
    return _load(row)


def find(tx: Tx, name: str) -> Source:
    """Load a source by its id or its address.

    Raises:
        NotFoundError: There is none.
        StateError: Several newsletters have one of that address.
    """
    is_id = name.isascii() and name.isdecimal()
    condition = _c.id == int(name[:18]) if is_id else _c.url == name
    rows = tx.execute(select(tables.sources).where(condition).order_by(_c.id)).all()
    if not rows:
        raise NotFoundError(f"There is no source {name!r}.", "See: digest sources list")
    if len(rows) > 1:
        ids = ", ".join(str(row.id) for row in rows)
        raise StateError(
            f"Several newsletters have this source: {ids}.",
            "Name it by its number; see: digest sources list",
        )
    return _load(rows[0])


def list_page(
    tx: Tx,
    newsletter_id: int | None = None,
    after: int | None = None,
    limit: int | None = None,
) -> list[Source]:
    """Load sources, oldest first: of one newsletter or of all, from after an id."""
    query = select(tables.sources).order_by(_c.id).limit(limit)
    if newsletter_id is not None:
        query = query.where(_c.newsletter_id == newsletter_id)
    if after is not None:
        query = query.where(_c.id > after)
    return [_load(row) for row in tx.execute(query)]


def set_category_map(tx: Tx, source_id: int, category_map: Mapping[str, str]) -> None:
    """Replace the table of categories; the next visit reads every story anew."""
    # Otherwise the source would say "not modified", and its stories keep the sections
    # they had under the old table.
    _update(
        tx,
        source_id,
        category_map=dict(category_map),
        etag=None,
        last_modified=None,
        collected_at=None,
    )


def mark_collected(
    tx: Tx,
    source_id: int,
    *,
    title: str,
    etag: str | None,
    last_modified: str | None,
    now: datetime,
) -> None:
    """Keep what the next conditional request needs, and forget the last error."""
    _update(
        tx,
        source_id,
        title=title,
        etag=etag,
        last_modified=last_modified,
        collected_at=now,
        last_error=None,
    )


def mark_failed(tx: Tx, source_id: int, error: str) -> None:
    """Keep why a source could not be collected."""
    _update(tx, source_id, last_error=error)


def _update(tx: Tx, source_id: int, **values: Any) -> None:
    tx.execute(update(tables.sources).where(_c.id == source_id).values(**values))


def _load(row: Row[Any]) -> Source:
    return Source(
        id=row.id,
        newsletter_id=row.newsletter_id,
        url=row.url,
        kind=row.kind,
        title=row.title,
        every=timedelta(seconds=row.every_seconds),
        category_map=dict(row.category_map),
        etag=row.etag,
        last_modified=row.last_modified,
        collected_at=row.collected_at,
        last_error=row.last_error,
    )
