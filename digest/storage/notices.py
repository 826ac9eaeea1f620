"""Notices: every letter that is not an edition's, in the same ledger words."""

from datetime import datetime

from sqlalchemy import func, insert, select

from digest.domain.letters import NewNotice, NoticeKind
from digest.domain.states import DeliveryState
from digest.storage import tables
from digest.storage.engine import Tx


def add(tx: Tx, notice: NewNotice, *, now: datetime) -> int:
    """Queue a notice, in the transaction of what it tells about.

    Returns:
        Its row id; the existing one's where its `dedupe_key` is known already.
    """
    c = tables.notices.c
    if notice.dedupe_key is not None:
        known = tx.execute(
            select(c.id).where(c.dedupe_key == notice.dedupe_key)
        ).scalar_one_or_none()
        if known is not None:
            return int(known)
    row_id = tx.execute(
        insert(tables.notices)
        .values(
            kind=notice.kind,
            dedupe_key=notice.dedupe_key,
            newsletter_id=notice.newsletter_id,
            subscriber_id=notice.subscriber_id,
            address=notice.address,
            sender_name=notice.sender.name,
            sender_address=notice.sender.address,
            reply_to=notice.sender.reply_to,
            subject=notice.subject,
            text=notice.text,
            html=notice.html,
            language=notice.language,
            headers=dict(notice.headers),
            state=DeliveryState.QUEUED,
            next_attempt_at=now,
            created_at=now,
        )
        .returning(c.id)
    ).scalar_one()
    return int(row_id)


def is_known(tx: Tx, dedupe_key: str) -> bool:
    """Whether a notice was queued under a key already."""
    c = tables.notices.c
    query = select(c.id).where(c.dedupe_key == dedupe_key)
    return tx.execute(query).scalar_one_or_none() is not None


def count_since(
    tx: Tx, *, subscriber_id: int, kind: NoticeKind, since: datetime
) -> int:
    """Count the letters of a kind that a reader was written since an instant."""
    c = tables.notices.c
    query = select(func.count(c.id)).where(
        c.subscriber_id == subscriber_id, c.kind == kind, c.created_at > since
    )
    return int(tx.execute(query).scalar_one())
