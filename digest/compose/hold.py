"""Hold an edition: it shall not go until a person has approved it anew."""

from datetime import datetime

from digest.compose.withdraw import require_changeable, withdraw_approval
from digest.domain.actor import Actor
from digest.domain.editions import Edition
from digest.storage import audit, desk, editions
from digest.storage.engine import Database


def hold(
    db: Database, *, edition_id: int, because: str, actor: Actor, now: datetime
) -> Edition:
    """Keep an edition from going, whoever lets issues go.

    An approval is withdrawn; a schedule that approves by itself does not approve a
    held edition. Holding what is held already changes nothing.

    Args:
        db: The database.
        edition_id: The edition.
        because: Why; may be empty.
        actor: Who holds it.
        now: The present.

    Returns:
        The edition, a draft.

    Raises:
        NotFoundError: There is no such edition.
        StateError: It was released or cancelled.
    """
    with db.write() as tx:
        edition = editions.get(tx, edition_id)
        require_changeable(edition)
        if edition.held_at is not None:
            return edition
        reason = " ".join(because.split())
        draft = withdraw_approval(tx, edition, actor=actor, now=now)
        held = desk.put_hold(tx, draft, by=str(actor), because=reason, now=now)
        audit.record_edition(
            tx, edition_id, "held", actor=actor, now=now, because=reason
        )
        return held
