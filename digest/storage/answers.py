"""The last answers to an edition's letters, by receiving domain, for all workers."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, select, update

from digest.domain.answers import Refused
from digest.storage import tables
from digest.storage.engine import Tx
from digest.storage.insertion import insert_once

_c = tables.answers.c


def lock(tx: Tx, edition_id: int) -> None:
    """Let one worker at a time add to an edition's answers."""
    c = tables.editions.c
    tx.execute(select(c.id).where(c.id == edition_id).with_for_update())


def load(
    tx: Tx, edition_id: int, domains: Sequence[str]
) -> Mapping[str, tuple[Refused, ...]]:
    """Load what is known of some domains, oldest refusal first."""
    query = select(_c.domain, _c.refusals).where(
        _c.edition_id == edition_id, _c.domain.in_(domains)
    )
    return {
        row.domain: tuple(Refused(code=code, others=n) for code, n in row.refusals)
        for row in tx.execute(query)
    }


def put(tx: Tx, edition_id: int, domain: str, refusals: Sequence[Refused]) -> None:
    """Replace what is known of a domain."""
    listed = [[refused.code, refused.others] for refused in refusals]
    values = {"edition_id": edition_id, "domain": domain, "refusals": listed}
    if not insert_once(tx, tables.answers, values):
        tx.execute(
            update(tables.answers)
            .where(_c.edition_id == edition_id, _c.domain == domain)
            .values(refusals=listed)
        )


def forget(tx: Tx, edition_id: int) -> None:
    """Begin anew: the edition goes on, or is through."""
    tx.execute(delete(tables.answers).where(_c.edition_id == edition_id))
