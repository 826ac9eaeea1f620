"""Take a reader's address out of every row that holds it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, update

from digest.domain.letters import NoticeKind
from digest.domain.states import DeliveryState, SkipReason, SuppressionReason
from digest.storage import inbox, tables
from digest.storage.engine import Tx

_WAITING = (DeliveryState.QUEUED, DeliveryState.DEFERRED)


# A message is committed soon after the instant it is said to have come.
_COMMITTED_WITHIN = timedelta(minutes=5)


def forget(
    tx: Tx, *, subscriber_id: int, address: str, named: Sequence[int], now: datetime
) -> None:
    """Clear address and name, letters that were not sent, what servers and they said.

    What remains: that a letter was sent, consents (evidence without the address), the
    keyed hash. A letter on its way right now keeps its row; its worker settles it.

    Args:
        tx: A write transaction.
        subscriber_id: The reader.
        address: Theirs; letters that were not written to them as a reader (a test
            letter) are found by it.
        named: What `inbox.find_naming` listed just before, in a transaction that
            held up nobody.
        now: When.
    """
    people, posted, letters = tables.subscribers, tables.deliveries, tables.notices
    is_posted = posted.c.subscriber_id == subscriber_id
    noticed = tx.execute(_theirs(subscriber_id, address)).scalars().all()
    is_noticed = letters.c.id.in_(noticed)
    for table, is_meant in ((posted, is_posted), (letters, is_noticed)):
        tx.execute(
            update(table)
            .where(is_meant, table.c.state.in_(_WAITING))
            .values(
                state=DeliveryState.SKIPPED,
                reason=SkipReason.ERASED,
                next_attempt_at=None,
                settled_at=now,
            )
        )
    tx.execute(update(posted).where(is_posted).values(address=None, smtp_text=None))
    cleared = {"address": None, "html": None, "smtp_text": None, "dedupe_key": None}
    tx.execute(
        update(letters)
        .where(is_noticed)
        .values(subject="", text="", headers={}, **cleared)
    )
    since = now - _COMMITTED_WITHIN
    inbox.forget_sender(tx, address, known=named, since=since)
    # After their letters' rows are ours: a worker may just have added some.
    _clear_attempts(tx, is_posted, noticed)
    _forget_changes(tx, subscriber_id)
    hashes = select(people.c.address_hash).where(people.c.id == subscriber_id)
    tx.execute(
        update(tables.suppressions)
        .where(tables.suppressions.c.address_hash.in_(hashes))
        .values(address=None, detail=_impersonal_detail())
    )
    tx.execute(
        update(people)
        .where(people.c.id == subscriber_id)
        .values(address=None, address_key=None, domain=None, name="", erased_at=now)
    )


def _theirs(subscriber_id: int, address: str) -> Select[int]:
    c = tables.notices.c
    # SQLite folds ASCII only, which is what people type in different ways.
    same = or_(c.address == address, func.lower(c.address) == address.lower())
    # One that asks for an address's consent is filed under who gave that address.
    is_nobodys = or_(c.subscriber_id.is_(None), c.kind == NoticeKind.NEW_ADDRESS)
    # What an operator was told of a message quotes who wrote it.
    quotes = func.lower(c.text).contains(address.lower(), autoescape=True)
    is_quoted = and_(c.kind == NoticeKind.FORWARD, quotes)
    return select(c.id).where(
        or_(c.subscriber_id == subscriber_id, and_(is_nobodys, same), is_quoted)
    )


def _forget_changes(tx: Tx, subscriber_id: int) -> None:
    """A new address that this reader gave, and this one where another gave it."""
    c, people = tables.address_changes.c, tables.subscribers.c
    hashes = select(people.address_hash).where(people.id == subscriber_id)
    tx.execute(
        update(tables.address_changes)
        .where(or_(c.subscriber_id == subscriber_id, c.address_hash.in_(hashes)))
        .values(address=None)
    )


def _impersonal_detail() -> ColumnElement[str]:
    """What servers and operators wrote may name the reader; our own words do not."""
    c = tables.suppressions.c
    return case((c.reason == SuppressionReason.REQUEST, c.detail), else_="")


def _clear_attempts(
    tx: Tx, is_posted: ColumnElement[bool], noticed: Sequence[int]
) -> None:
    """Servers quote the recipient in their refusals."""
    c = tables.attempts.c
    posted = select(tables.deliveries.c.id).where(is_posted)
    for of_them in (c.delivery_id.in_(posted), c.notice_id.in_(noticed)):
        tx.execute(update(tables.attempts).where(of_them).values(smtp_text=""))
