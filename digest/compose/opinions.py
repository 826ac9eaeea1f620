"""Take what a reader thought of an edition."""

from datetime import datetime

from digest.domain.actor import Actor
from digest.domain.opinions import Answer
from digest.storage import audit, opinions
from digest.storage.engine import Database


def give(
    db: Database, *, edition_id: int, answer: Answer, actor: Actor, now: datetime
) -> None:
    """Count an answer; it says nothing of who gave it.

    Args:
        db: The database.
        edition_id: A released edition.
        answer: The answer.
        actor: Who answers: a reader.
        now: The present.
    """
    with db.write() as tx:
        opinions.add(tx, edition_id, answer, now=now)
        audit.record_edition(tx, edition_id, "answered", actor=actor, now=now)
