"""The usual group of the ledger in one statement that is its own transaction.

Nearly always the letters of a group were taken by the relay, the next ones of the same
chunk are about to go, and nothing stands against it. Then one statement says it all,
checks the lease, and is durable once it returns: the interpreter's lock, for which the
lanes wait, is let go once, not for each step. Where it did not change every row, the
careful way (`ledger`) is taken for the whole group; it finds done what was done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Dialect, ScalarSelect, bindparam, case, func, or_, select, update

from digest.domain.deliveries import Intent, Lease, Result
from digest.domain.states import DeliveryState
from digest.storage import bars, ledger, tables
from digest.storage.batch import Batch, Columns, Statement
from digest.storage.engine import Tx
from digest.storage.types import UtcDateTime

_COLUMNS: Columns = {
    "id": int,
    "state": str,
    "dated_at": datetime,
    "code": int,
    "text": str,
}
_SENT, _DISPATCHING = DeliveryState.SENT.value, DeliveryState.DISPATCHING.value


@dataclass(frozen=True, kw_only=True)
class UsualGroup:
    """What is written at once.

    Attributes:
        lease: Of the chunk that all of them are of.
        sent: Letters that the relay took.
        intents: Letters that are about to be handed over.
    """

    lease: Lease
    sent: Sequence[Result]
    intents: Sequence[Intent]


def write(tx: Tx, group: UsualGroup) -> bool:
    """Write a group, and commit.

    Args:
        tx: Of `Writer.write_alone`.
        group: Each letter once.

    Returns:
        Whether all of it is written: the lease holds, the edition is carried, and no
        reader has left. If not, some of it may be, under a lease that held.
    """
    sent = ((r.letter_id, _SENT, None, r.smtp_code, r.smtp_text) for r in group.sent)
    intents = (
        (i.letter_id, _DISPATCHING, i.dated_at, None, None) for i in group.intents
    )
    rows = [*sent, *intents]
    entries: list[Result | Intent] = [*group.sent, *group.intents]
    changed = _statement(tx.dialect).execute(
        tx,
        rows,
        at=max(entry.at for entry in entries),
        lease=group.lease.row_id,
        fence=group.lease.fence,
    )
    return bool(changed.rowcount == len(rows))


@cache
def _statement(dialect: Dialect) -> Statement:
    batch = Batch(_COLUMNS, dialect.name)
    table, s, b = tables.deliveries, tables.subscriptions.c, tables.subscribers.c
    c, at = table.c, bindparam("at", type_=UtcDateTime)
    is_sent = batch["state"] == _SENT
    is_under_way = c.state == _DISPATCHING
    may_go = or_(is_under_way, *(c.state == state for state in ledger.OPEN))
    statement = (
        update(table)
        .where(c.id == batch["id"], _held().is_not(None))
        .where(s.id == c.subscription_id, b.id == c.subscriber_id)
        .where(case((is_sent, is_under_way), else_=may_go))
        .where(or_(is_sent, bars.bar_of_delivery(at).is_(None)))
        .values(
            state=batch["state"],
            attempts=c.attempts + case((is_under_way, 0), else_=1),
            first_attempt_at=func.coalesce(c.first_attempt_at, at),
            next_attempt_at=None,
            reason=None,
            dated_at=case((is_sent, c.dated_at), else_=batch["dated_at"]),
            smtp_code=case((is_sent, batch["code"]), else_=c.smtp_code),
            smtp_text=case(
                (is_sent, ledger.reply_text(table, batch["text"])), else_=c.smtp_text
            ),
            settled_at=case((is_sent, at), else_=c.settled_at),
        )
    )
    return Statement(statement, batch, dialect)


def _held() -> ScalarSelect[int]:
    """The chunk, where its lease holds and its edition is carried.

    Not a common table expression: Python counts the rows that a statement changed
    only where it begins with its verb.
    """
    c, e = tables.chunks.c, tables.editions.c
    return (
        select(c.id)
        .join(tables.editions)
        .where(c.id == bindparam("lease"), c.fence == bindparam("fence"))
        .where(or_(*(e.state == state for state in ledger.CARRIED)))
        # PostgreSQL: nobody may claim between this check and our commit.
        .with_for_update(read=True, of=tables.chunks)
        .scalar_subquery()
    )
