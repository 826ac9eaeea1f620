"""Fill a scratch database with what one edition's letters are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy import func, insert, select

from digest.domain.editions import Edition, Variant
from digest.domain.states import EditionState
from digest.storage import tables
from digest.storage.deliveries import eligible
from digest.storage.engine import Tx

_AT_ONCE = 2000


def copy_newsletter(real: Tx, scratch: Tx, newsletter_id: int) -> None:
    """Copy a newsletter's row under its own id."""
    table = tables.newsletters
    row = real.execute(select(table).where(table.c.id == newsletter_id)).one()
    scratch.execute(insert(table).values(**row._mapping))  # noqa: SLF001 - SQLAlchemy's public name


def copy_readers(
    real: Tx, scratch: Tx, *, newsletter_id: int, corrects: int | None, now: datetime
) -> int:
    """Copy whoever would get a letter at this moment, with their subscriptions.

    Args:
        real: Where they are.
        scratch: Where their newsletter is already.
        newsletter_id: Whose readers.
        corrects: Only those who got this edition; None: all.
        now: The present.

    Returns:
        How many.
    """
    readers, held = tables.subscribers, tables.subscriptions
    columns = [c.label(f"{c.table.name}.{c.name}") for c in (*readers.c, *held.c)]
    found = real.execution_options(yield_per=_AT_ONCE).execute(
        eligible(select(*columns), newsletter_id, corrects, now)
    )
    count = 0
    for part in found.mappings().partitions():
        for table in (readers, held):
            rows = [
                {c.name: row[f"{table.name}.{c.name}"] for c in table.c} for row in part
            ]
            scratch.execute(insert(table), rows)
        count += len(part)
    return count


def put_edition(scratch: Tx, edition: Edition, variants: Sequence[Variant]) -> None:
    """Store an edition as if it had just been approved, and its renderings."""
    values = asdict(
        replace(
            edition,
            state=EditionState.APPROVED,
            corrects=None,
            approved_hash=edition.content_hash,
            scheduled_at=None,
        )
    )
    scratch.execute(insert(tables.editions).values(**values))
    rows = [{k: v for k, v in asdict(each).items() if k != "id"} for each in variants]
    scratch.execute(insert(tables.variants), rows)


def count_by_domain(tx: Tx) -> Mapping[str, int]:
    """Count the readers of a scratch database by receiving domain."""
    c = tables.subscribers.c
    rows = tx.execute(select(c.domain, func.count()).group_by(c.domain))
    return {domain or "": count for domain, count in rows}
