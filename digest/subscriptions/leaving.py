"""Many readers leave by their links in one transaction, as they do after an edition."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.domain.actor import Actor
from digest.domain.secrets import Secrets
from digest.domain.subscribers import Origin
from digest.domain.tokens import Purpose
from digest.storage import audit, consents, subscriptions
from digest.storage.engine import Database


@dataclass(frozen=True, kw_only=True)
class Leave:
    """One reader's wish.

    Attributes:
        token: From the path.
        origin: Where from.
    """

    token: str
    origin: Origin


def leave_together(
    db: Database,
    wishes: Sequence[Leave],
    *,
    secrets: Secrets,
    actor: Actor,
    now: datetime,
) -> None:
    """Do what `leave.by_token` does, for many.

    Links that are not ours, whose reader was erased or has left already change
    nothing. Of two wishes with one link the first is kept as evidence.

    Args:
        db: The database.
        wishes: Whose, and where from.
        secrets: For the tokens.
        actor: Who leaves.
        now: When.
    """
    origins: dict[int, Origin] = {}
    for wish in wishes:
        token = secrets.tokens.read(Purpose.UNSUBSCRIBE, wish.token, now=now)
        if token is not None:
            origins.setdefault(token.row_id, wish.origin)
    if not origins:
        return
    with db.write() as tx:
        left = subscriptions.unsubscribe_all(tx, origins, now=now)
        if not left:
            return
        withdrawn = [(held, origins[held.id]) for held in left]
        consents.append_withdrawn(tx, withdrawn, actor=actor, now=now)
        audit.record_each(
            tx,
            {held.id: {"before": held.state} for held in left},
            actor=actor,
            action="subscription.left",
            subject="subscription",
            now=now,
        )
