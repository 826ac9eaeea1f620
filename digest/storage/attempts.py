"""Attempts: every try that did not end in `sent`, one row each, never changed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from digest.domain.deliveries import LetterKind, Result
from digest.domain.retry import MOST_RESENDS
from digest.domain.states import DeliveryState
from digest.storage import tables
from digest.storage.engine import Tx
from digest.storage.types import UtcDateTime

LETTER = {
    LetterKind.DELIVERY: tables.attempts.c.delivery_id,
    LetterKind.NOTICE: tables.attempts.c.notice_id,
}
"""Which column names the letter of a kind."""

LETTERS: Mapping[LetterKind, Table] = {
    LetterKind.DELIVERY: tables.deliveries,
    LetterKind.NOTICE: tables.notices,
}
"""Which table holds the letters of a kind."""


_is_lost = tables.attempts.c.outcome == DeliveryState.UNCERTAIN.value


class Attempt(NamedTuple):
    """One try, as it is shown.

    Attributes:
        at: When.
        outcome: The state it led to.
        smtp_code: The server's code, where it answered.
        smtp_text: Its words, or what broke.
    """

    at: datetime
    outcome: str
    smtp_code: int | None
    smtp_text: str


def add(tx: Tx, kind: LetterKind, results: Sequence[Result], *, worker: str) -> None:
    """Keep the tries behind some results."""
    if not results:
        return
    name = LETTER[kind].name
    rows = [
        {
            name: result.letter_id,
            "at": result.at,
            "worker": worker,
            "outcome": result.state,
            "smtp_code": result.smtp_code,
            "smtp_text": result.smtp_text or result.reason or "",
        }
        for result in results
    ]
    tx.execute(insert(tables.attempts), rows)


def is_in_doubt(kind: LetterKind) -> ColumnElement[bool]:
    """Whether an answer to the letter that a statement is about was ever lost."""
    of_letter = LETTER[kind] == LETTERS[kind].c.id
    return exists().where(of_letter, _is_lost)


def is_past_resending(kind: LetterKind) -> ColumnElement[bool]:
    """Whether the answer was lost so often that it is not sent again by itself."""
    lost = select(func.count()).where(LETTER[kind] == LETTERS[kind].c.id, _is_lost)
    return lost.scalar_subquery() > MOST_RESENDS


def add_lost(
    tx: Tx,
    kind: LetterKind,
    letters: Select[tuple[int]],
    *,
    worker: str,
    text: str,
    now: datetime,
) -> None:
    """Keep that the answer to some letters was lost.

    Args:
        tx: A writing transaction.
        kind: What they are.
        letters: Their row ids.
        worker: Who noticed.
        text: How it was lost.
        now: When it was noticed.
    """
    values: list[ColumnElement[object]] = [
        literal(now, UtcDateTime),
        literal(worker),
        literal("uncertain"),
        literal(text),
    ]
    source = letters.add_columns(*values)
    names = [LETTER[kind].name, "at", "worker", "outcome", "smtp_text"]
    tx.execute(insert(tables.attempts).from_select(names, source))


def hush_erased(tx: Tx, kind: LetterKind, letters: Sequence[int]) -> None:
    """Forget what servers said of letters whose readers were erased meanwhile."""
    if not letters:
        return
    table = LETTERS[kind]
    erased = select(table.c.id).where(
        table.c.id.in_(letters), table.c.address.is_(None)
    )
    tx.execute(
        update(tables.attempts).where(LETTER[kind].in_(erased)).values(smtp_text="")
    )


def of(tx: Tx, kind: LetterKind, letter_id: int) -> list[Attempt]:
    """Load the tries of one letter, oldest first."""
    c = tables.attempts.c
    query = (
        select(c.at, c.outcome, c.smtp_code, c.smtp_text)
        .where(LETTER[kind] == letter_id)
        .order_by(c.id)
    )
    return [Attempt(*row) for row in tx.execute(query)]
