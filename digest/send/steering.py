"""Stop, resume or cancel an edition at the post, and settle what is in doubt."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from digest.domain.actor import Actor
from digest.domain.editions import Edition
from digest.domain.errors import StateError
from digest.domain.states import DeliveryState, EditionState
from digest.storage import answers, audit, chunks, deliveries, editions
from digest.storage.engine import Database


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    """What cancelling did.

    Attributes:
        skipped: Letters that will not be sent now.
        under_way: Letters a worker had begun; they finish.
        sent: Letters that were already sent.
    """

    skipped: int
    under_way: int
    sent: int


def pause(
    db: Database, *, edition_id: int, reason: str, actor: Actor, now: datetime
) -> Edition:
    """Hand nothing new over; letters under way finish.

    Raises:
        StateError: The edition is not being sent.
    """
    with db.write() as tx:
        edition = editions.get(tx, edition_id)
        moved = editions.move(
            tx, edition, EditionState.PAUSED, now=now, pause_reason=reason
        )
        audit.record_edition(
            tx, edition.id, "paused", actor=actor, now=now, reason=reason
        )
        return moved


def resume(db: Database, *, edition_id: int, actor: Actor, now: datetime) -> Edition:
    """Go on with a paused edition.

    Raises:
        StateError: The edition is not paused.
    """
    with db.write() as tx:
        edition = editions.get(tx, edition_id)
        if edition.state != EditionState.PAUSED:
            raise StateError(
                f"Edition {edition_id} is {edition.state}, not paused.",
                f"See: digest editions status {edition_id}",
            )
        moved = editions.move(
            tx, edition, EditionState.SENDING, now=now, pause_reason=None
        )
        # What was refused before is known; count anew.
        answers.forget(tx, edition_id)
        audit.record_edition(tx, edition.id, "resumed", actor=actor, now=now)
        return moved


def cancel(db: Database, *, edition_id: int, actor: Actor, now: datetime) -> Cancelled:
    """Send no letter of an edition, or no further one.

    Letters a worker has begun finish and are counted; there is no calling them back.

    Raises:
        StateError: The edition is sent or cancelled already.
    """
    with db.write() as tx:
        edition = editions.get(tx, edition_id)
        editions.move(tx, edition, EditionState.CANCELLED, now=now, finished_at=now)
        skipped = deliveries.cancel_open(tx, edition_id, now=now)
        chunks.close_free(tx, edition_id)
        answers.forget(tx, edition_id)
        found = deliveries.counts(tx, edition_id, since=now).by_state
        effect = Cancelled(
            skipped=skipped,
            under_way=found.get(DeliveryState.DISPATCHING, 0),
            sent=found.get(DeliveryState.SENT, 0),
        )
        audit.record_edition(
            tx, edition.id, "cancelled", actor=actor, now=now, **asdict(effect)
        )
        return effect


def settle_uncertain(
    db: Database,
    *,
    edition_id: int,
    choice: Literal["resend", "sent"],
    actor: Actor,
    now: datetime,
) -> int:
    """Decide about letters whose answer was lost.

    Args:
        db: The database.
        edition_id: Whose.
        choice: Send them again with the same bytes, or take them as sent.
        actor: Who decides.
        now: When.

    Returns:
        How many.

    Raises:
        StateError: They shall be sent again, but the edition was cancelled.
    """
    again = choice == "resend"
    to = DeliveryState.QUEUED if again else DeliveryState.SENT
    with db.write() as tx:
        edition = editions.get(tx, edition_id)
        if again and edition.state == EditionState.CANCELLED:
            raise StateError(
                f"Edition {edition_id} was cancelled: nothing of it is sent again.",
                f"Run: digest deliveries settle {edition_id} --uncertain sent",
            )
        count = deliveries.settle_uncertain(tx, edition_id, to=to, now=now)
        audit.record_edition(
            tx, edition.id, "settled", actor=actor, now=now, count=count, to=choice
        )
        return count
