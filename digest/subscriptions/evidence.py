"""What is written down beside every change of a subscription: consent and audit."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from digest.domain.actor import Actor
from digest.domain.subscribers import ConsentAction, Origin, Subscription
from digest.storage import audit, consents
from digest.storage.engine import Tx


@dataclass(frozen=True, kw_only=True)
class Deed:
    """Who did it, where, and when.

    Attributes:
        origin: Where from, with which words.
        actor: Who.
        now: When.
    """

    origin: Origin
    actor: Actor
    now: datetime

    def consent(self, tx: Tx, held: Subscription, action: ConsentAction) -> None:
        """Append a row of consent evidence."""
        consents.append(
            tx,
            subscriber_id=held.subscriber_id,
            newsletter_id=held.newsletter_id,
            action=action,
            origin=self.origin,
            actor=self.actor,
            now=self.now,
        )

    def audit(self, tx: Tx, held: Subscription, action: str, **detail: Any) -> None:
        """Write the audit row."""
        audit.record(
            tx,
            actor=self.actor,
            action=f"subscription.{action}",
            subject=("subscription", held.id),
            now=self.now,
            detail=detail,
        )
