"""Who is to be told of a mistake: the readers who got the edition that had it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, select

from digest.domain.states import DeliveryState, EditionKind, EditionState
from digest.storage import tables
from digest.storage.engine import Tx

GOT = (DeliveryState.SENT, DeliveryState.UNCERTAIN)
"""A server took the letter, or nobody knows that it did not."""
PUBLIC = (EditionState.SENDING, EditionState.PAUSED, EditionState.SENT)

_UNDER_WAY = (
    DeliveryState.QUEUED,
    DeliveryState.DEFERRED,
    DeliveryState.DISPATCHING,
)
_c = tables.deliveries.c
_e = tables.editions.c


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A correction that went to its readers.

    Attributes:
        edition_id: Which edition it is.
        revision: Names its page, with the issue date.
        subject: Its headline.
        released_at: When it went.
    """

    edition_id: int
    revision: int
    subject: str
    released_at: datetime


def count_readers(tx: Tx, edition_id: int) -> int:
    """Count who got an edition, as far as anybody knows."""
    query = select(func.count()).where(_c.edition_id == edition_id, _c.state.in_(GOT))
    return int(tx.execute(query).scalar_one())


def count_under_way(tx: Tx, edition_id: int) -> int:
    """Count letters of an edition that are not settled."""
    query = select(func.count()).where(
        _c.edition_id == edition_id, _c.state.in_(_UNDER_WAY)
    )
    return int(tx.execute(query).scalar_one())


def has_got(edition_id: int) -> ColumnElement[bool]:
    """Whether the subscription's reader, whom a statement is about, got an edition."""
    return exists().where(
        _c.edition_id == edition_id,
        _c.subscriber_id == tables.subscriptions.c.subscriber_id,
        _c.state.in_(GOT),
    )


def list_released(tx: Tx, edition_id: int) -> Sequence[Correction]:
    """List the corrections of an edition that readers have got, oldest first."""
    return by_edition(tx, [edition_id])[edition_id]


def by_edition(
    tx: Tx, edition_ids: Sequence[int]
) -> Mapping[int, Sequence[Correction]]:
    """List the corrections that readers have got, by the edition they correct."""
    query = (
        select(_e.id, _e.corrects, _e.revision, _e.subject, _e.released_at)
        .where(_e.corrects.in_(edition_ids), _is_public())
        .order_by(_e.revision)
    )
    found: dict[int, list[Correction]] = {wrong: [] for wrong in edition_ids}
    for row in tx.execute(query):
        found[row.corrects].append(
            Correction(
                edition_id=row.id,
                revision=row.revision,
                subject=row.subject,
                released_at=row.released_at,
            )
        )
    return found


def latest(tx: Tx, newsletter_id: int, *, limit: int | None = None) -> list[int]:
    """Return the corrections that readers of a newsletter got last, newest first."""
    query = (
        select(_e.id)
        .where(_e.newsletter_id == newsletter_id, _is_public())
        .order_by(_e.released_at.desc(), _e.id.desc())
        .limit(limit)
    )
    return list(tx.execute(query).scalars())


def _is_public() -> ColumnElement[bool]:
    return and_(_e.kind == EditionKind.CORRECTION, _e.state.in_(PUBLIC))
