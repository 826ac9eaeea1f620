"""The audit log: one row per change of state, in the change's own transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from digest.domain.actor import Actor
from digest.storage import tables
from digest.storage.engine import Tx


def record(
    tx: Tx,
    *,
    actor: Actor,
    action: str,
    subject: tuple[str, int | None],
    now: datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write one audit row.

    Args:
        tx: The transaction of the change itself.
        actor: Who did it.
        action: `<subject>.<past tense>`: `edition.approved`.
        subject: Kind and row id of what changed.
        now: When.
        detail: What else an operator would ask; never a reader's address.
    """
    kind, row_id = subject
    tx.execute(
        insert(tables.audit).values(
            at=now,
            actor=str(actor),
            action=action,
            subject_kind=kind,
            subject_id=row_id,
            detail=dict(detail or {}),
        )
    )


def actors_of(tx: Tx, action: str, subject: tuple[str, int]) -> set[str]:
    """Return who did something to one thing, as `str(actor)` wrote them."""
    c, (kind, row_id) = tables.audit.c, subject
    query = select(c.actor).where(
        c.action == action, c.subject_kind == kind, c.subject_id == row_id
    )
    return set(tx.execute(query.distinct()).scalars())


def record_each(
    tx: Tx,
    details: Mapping[int, Mapping[str, Any]],
    *,
    actor: Actor,
    action: str,
    subject: str,
    now: datetime,
) -> None:
    """Write one audit row for each of many, in one statement.

    Args:
        tx: The transaction of the change itself.
        details: What else an operator would ask, by row id of what changed.
        actor: Who did it.
        action: As in `record`.
        subject: Kind of what changed.
        now: When.
    """
    tx.execute(
        insert(tables.audit),
        [
            {
                "at": now,
                "actor": str(actor),
                "action": action,
                "subject_kind": subject,
                "subject_id": row_id,
                "detail": dict(detail),
            }
            for row_id, detail in details.items()
        ],
    )


def record_edition(
    tx: Tx, edition_id: int, what: str, *, actor: Actor, now: datetime, **detail: Any
) -> None:
    """Write that an edition was changed: `released`, `paused`; details by name."""
    record(
        tx,
        actor=actor,
        action=f"edition.{what}",
        subject=("edition", edition_id),
        now=now,
        detail=detail,
    )
