"""Notices on their way: each is claimed by itself, under its own lease and fence."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select, update

from digest.domain.deliveries import Lease, LetterKind, Notice
from digest.domain.letters import NoticeKind, Sender
from digest.domain.states import DeliveryState
from digest.storage import attempts, leases, tables
from digest.storage.chunks import LOST_ANSWER
from digest.storage.engine import Tx
from digest.storage.ledger import OPEN

_c = tables.notices.c


def is_any_claimable(
    tx: Tx,
    *,
    owner: str,
    held: Collection[int] = (),
    now: datetime,
    patience: timedelta,
) -> bool:
    """Tell whether a claim or a challenge would find something."""
    by = now + patience
    overdue = leases.is_overdue(LetterKind.NOTICE, owner=owner, held=held, by=by)
    claimable = and_(_is_due(now), or_(_c.lease_until.is_(None), overdue))
    query = select(_c.id).where(claimable).limit(1)
    return tx.execute(query).first() is not None


def is_any_overdue(
    tx: Tx, *, owner: str, held: Collection[int], now: datetime, patience: timedelta
) -> bool:
    """Tell whether a challenge would find something."""
    by = now + patience
    overdue = leases.is_overdue(LetterKind.NOTICE, owner=owner, held=held, by=by)
    query = select(_c.id).where(_is_due(now), overdue).limit(1)
    return tx.execute(query).first() is not None


def is_any_leased(tx: Tx, *, now: datetime) -> bool:
    """Tell whether some worker holds a lease."""
    query = select(_c.id).where(_open(), _c.lease_until > now).limit(1)
    return tx.execute(query).first() is not None


def challenge(
    tx: Tx,
    *,
    owner: str,
    held: Collection[int] = (),
    now: datetime,
    patience: timedelta,
) -> list[Lease]:
    """Ask the holders of overdue leases to renew them; see `leases.challenge`."""
    by = now + patience
    overdue = leases.is_overdue(LetterKind.NOTICE, owner=owner, held=held, by=by)
    found = and_(_is_due(now), overdue)
    return leases.challenge(tx, LetterKind.NOTICE, found, now=now)


def claim(
    tx: Tx,
    *,
    owner: str,
    now: datetime,
    lease: timedelta,
    limit: int,
    left_behind: Collection[Lease] = (),
    free: bool = True,
) -> list[Notice]:
    """Take notices that are due and free, or whose worker died.

    One whose answer was lost is sent again with the same bytes whatever the policy
    for editions, but not without end (`MOST_RESENDS`): a second confirmation letter
    does no harm, a missing one loses a reader, and nobody looks for it.

    Args:
        tx: A writing transaction.
        owner: The worker's name, new at each start, at most 64 characters.
        now: The present.
        lease: How long the claim holds unless it is renewed.
        limit: The most to take.
        left_behind: Leases of dead workers, challenged in this transaction.
        free: Whether notices that nobody holds will do, too.
    """
    is_left = leases.is_one_of(LetterKind.NOTICE, left_behind)
    wanted = or_(_c.lease_until.is_(None), is_left) if free else is_left
    found = (
        select(_c.id)
        .where(_is_due(now), wanted)
        .order_by(_c.next_attempt_at, _c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        # Evaluated once: as a subquery PostgreSQL may run it again and lock more.
        .cte("found")
    )
    rows = tx.execute(
        update(tables.notices)
        .where(_c.id.in_(select(found.c.id)))
        .values(lease_owner=owner, lease_until=now + lease, fence=_c.fence + 1)
        .returning(tables.notices)
    ).all()
    lost = [row.id for row in rows if row.state == DeliveryState.DISPATCHING]
    left = _recover(tx, lost, owner=owner, now=now) if lost else set()
    rows = [row for row in rows if row.id not in left]
    return [_load(row) for row in sorted(rows, key=lambda row: int(row.id))]


def claim_one(
    tx: Tx, notice_id: int, *, owner: str, now: datetime, lease: timedelta
) -> Notice:
    """Take a notice that was added in this very transaction."""
    row = tx.execute(
        update(tables.notices)
        .where(_c.id == notice_id)
        .values(lease_owner=owner, lease_until=now + lease, fence=_c.fence + 1)
        .returning(tables.notices)
    ).one()
    return _load(row)


def _recover(tx: Tx, lost: list[int], *, owner: str, now: datetime) -> set[int]:
    """Name what is in doubt; return the notices that are not sent once more."""
    these = _c.id.in_(lost)
    attempts.add_lost(
        tx,
        LetterKind.NOTICE,
        select(_c.id).where(these),
        worker=owner,
        text=LOST_ANSWER,
        now=now,
    )
    left = tx.execute(
        update(tables.notices)
        .where(these, attempts.is_past_resending(LetterKind.NOTICE))
        .values(
            state=DeliveryState.UNCERTAIN,
            reason=LOST_ANSWER,
            next_attempt_at=None,
            lease_owner=None,
            lease_until=None,
        )
        .returning(_c.id)
    )
    left_ids = set(left.scalars())
    tx.execute(
        update(tables.notices)
        .where(these, _c.state == DeliveryState.DISPATCHING)
        .values(state=DeliveryState.DEFERRED, reason=LOST_ANSWER)
    )
    return left_ids


def give_back(tx: Tx, lease: Lease, *, not_before: datetime) -> None:
    """End the claim of a notice that was not tried; a result has ended it already."""
    tx.execute(
        update(tables.notices)
        .where(_c.id == lease.row_id, _c.fence == lease.fence, _c.state.in_(OPEN))
        .where(_c.lease_owner.is_not(None))
        .values(lease_owner=None, lease_until=None, next_attempt_at=not_before)
    )


def count_open(tx: Tx) -> int:
    """Count the notices that are still to be carried."""
    query = select(func.count()).select_from(tables.notices).where(_open())
    return int(tx.execute(query).scalar_one())


def _open() -> ColumnElement[bool]:
    # Spelled out so that the partial index serves it.
    return _c.state.in_((*OPEN, DeliveryState.DISPATCHING))


def _is_due(now: datetime) -> ColumnElement[bool]:
    return and_(_open(), _c.next_attempt_at <= now)


def _load(row: Row[Any]) -> Notice:
    return Notice(
        id=row.id,
        lease=Lease(kind=LetterKind.NOTICE, row_id=row.id, fence=row.fence),
        kind=NoticeKind(row.kind),
        address=row.address or "",
        sender=Sender(
            name=row.sender_name, address=row.sender_address, reply_to=row.reply_to
        ),
        subject=row.subject,
        text=row.text,
        html=row.html,
        language=row.language,
        headers=row.headers,
        newsletter_id=row.newsletter_id,
        subscriber_id=row.subscriber_id,
        dedupe_key=row.dedupe_key,
        attempts=row.attempts,
        refusals=row.refusals,
        first_attempt_at=row.first_attempt_at,
        dated_at=row.dated_at,
    )
