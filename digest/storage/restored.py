"""What a restored database would go on with, though it may have been done since."""

from datetime import datetime

from sqlalchemy import select, update

from digest.domain.editions import Edition
from digest.domain.states import EditionKind, EditionState
from digest.storage import editions, tables
from digest.storage.engine import Tx


def under_way(tx: Tx) -> list[Edition]:
    """Load the editions that would go to readers without anybody's doing."""
    c = tables.editions.c
    states = (EditionState.SENDING, EditionState.SCHEDULED)
    found = tx.execute(select(c.id).where(c.state.in_(states)).order_by(c.id))
    return [editions.get(tx, edition_id) for edition_id in found.scalars()]


def waiting(tx: Tx) -> list[Edition]:
    """Load what a schedule would let go at its hour, and nobody holds."""
    c, s = tables.editions.c, tables.schedules.c
    found = tx.execute(
        select(c.id)
        .where(
            c.kind == EditionKind.WEEKLY,
            c.state.in_((EditionState.DRAFT, EditionState.APPROVED)),
            c.held_at.is_(None),
            c.newsletter_id.in_(select(s.newsletter_id).where(s.enabled)),
        )
        .order_by(c.id)
    )
    return [editions.get(tx, edition_id) for edition_id in found.scalars()]


def forget_due(tx: Tx, *, now: datetime) -> None:
    """Let issues that were due before now be nobody's business."""
    tx.execute(update(tables.schedules).values(since=now))
