"""Every reader and every suppression, in order of row ids, some thousand at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, exists, func, select

from digest.domain.subscribers import ConsentAction
from digest.storage import tables
from digest.storage.engine import Tx

_BATCH = 5000
_people, _held = tables.subscribers.c, tables.subscriptions.c
_barred, _given = tables.suppressions.c, tables.consents.c


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """One line of a list: a reader and a newsletter, or a suppressed address.

    Attributes:
        address: As written to.
        name: May be empty.
        newsletter: Slug; empty where there is no subscription.
        state: Of the subscription; empty where there is none.
        sections: Chosen slugs, comma separated; empty: all.
        format: `html`, `text`, or empty.
        since: When the state began.
        confirmed_at: When the reader opted in.
        consent_source: Where the last consent came from.
        suppressed: Why the address is never written to; empty: it may be.
    """

    address: str
    name: str = ""
    newsletter: str = ""
    state: str = ""
    sections: str = ""
    format: str = ""
    since: datetime | None = None
    confirmed_at: datetime | None = None
    consent_source: str = ""
    suppressed: str = ""


def list_all(tx: Tx) -> Iterator[Listed]:
    """Yield every reader's subscriptions, then suppressed addresses of no reader.

    Erased readers are not among them.
    """
    after = 0
    while page := _load_readers(tx, after):
        sources = _load_sources(tx, after, page[-1].id)
        for row in page:
            yield _show_reader(row, sources.get((row.id, row.newsletter_id), ""))
        after = page[-1].id
    yield from _list_suppressed(tx)


def _load_readers(tx: Tx, after: int) -> Sequence[Row[*tuple[Any, ...]]]:
    ids = (
        select(_people.id)
        .where(_people.id > after, _people.address.is_not(None))
        .order_by(_people.id)
        .limit(_BATCH)
        .subquery()
    )
    query = (
        select(
            _people.id,
            _people.address,
            _people.name,
            _held.newsletter_id,
            tables.newsletters.c.slug,
            _held.state,
            _held.sections,
            _held.format,
            _held.since,
            _held.confirmed_at,
            _barred.reason,
        )
        .join(ids, ids.c.id == _people.id)
        .outerjoin(tables.subscriptions, _held.subscriber_id == _people.id)
        .outerjoin(tables.newsletters, tables.newsletters.c.id == _held.newsletter_id)
        .outerjoin(tables.suppressions, _barred.address_hash == _people.address_hash)
        .order_by(_people.id, _held.id)
    )
    return tx.execute(query).all()


def _load_sources(tx: Tx, after: int, last: int) -> dict[tuple[int, int | None], str]:
    """Where the last consent of each subscription came from."""
    newest = (
        select(func.max(_given.id).label("id"))
        .where(
            and_(_given.subscriber_id > after, _given.subscriber_id <= last),
            _given.action != ConsentAction.WITHDRAWN,
        )
        .group_by(_given.subscriber_id, _given.newsletter_id)
        .subquery()
    )
    found = tx.execute(
        select(_given.subscriber_id, _given.newsletter_id, _given.source).join(
            newest, newest.c.id == _given.id
        )
    ).all()
    return {(row[0], row[1]): row[2] for row in found}


def _show_reader(row: Row[*tuple[Any, ...]], source: str) -> Listed:
    return Listed(
        address=row.address,
        name=row.name,
        newsletter=row.slug or "",
        state=row.state or "",
        sections=row.sections or "",
        format=row.format or "",
        since=row.since,
        confirmed_at=row.confirmed_at,
        consent_source=source,
        suppressed=row.reason or "",
    )


def _list_suppressed(tx: Tx) -> Iterator[Listed]:
    """Addresses that must not be written to wherever this list goes."""
    after = 0
    while page := tx.execute(
        select(_barred.id, _barred.address, _barred.reason)
        .where(
            _barred.id > after,
            _barred.address.is_not(None),
            ~exists().where(
                _people.address_hash == _barred.address_hash,
                _people.address.is_not(None),
            ),
        )
        .order_by(_barred.id)
        .limit(_BATCH)
    ).all():
        for row in page:
            yield Listed(address=row.address, suppressed=row.reason)
        after = page[-1].id
