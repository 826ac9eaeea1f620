"""Take what a reader thought of an edition."""

from datetime import datetime

from digest.domain.actor import Actor
from digest.domain.opinions import Answer, clean_words
from digest.storage import audit, opinions
from digest.storage.engine import Database


def give(
    db: Database,
    *,
    edition_id: int,
    answer: Answer,
    words: str = "",
    actor: Actor,
    now: datetime,
) -> None:
    """Count an answer; it says nothing of who gave it.

    Args:
        db: The database.
        edition_id: A released edition.
        answer: The answer.
        words: What the reader wrote with it; cut and cleaned here.
        actor: Who answers: a reader.
        now: The present.
    """
    with db.write() as tx:
        opinions.add(tx, edition_id, answer, words=clean_words(words), now=now)
        audit.record_edition(tx, edition_id, "answered", actor=actor, now=now)
