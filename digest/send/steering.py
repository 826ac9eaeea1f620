"""Stop, resume or cancel an edition at the post, and settle what is in doubt."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from digest.domain.actor import Actor
from digest.domain.editions import Edition
from digest.domain.errors import StateError
from digest.domain.states import DeliveryState, EditionState
from digest.storage import answers, audit, chunks, deliveries, editions
from digest.storage.engine import Database, Tx


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


@dataclass(frozen=True, kw_only=True)
class Recalled(Cancelled):
    """What recalling did.

    Attributes:
        uncertain: Letters of which nobody knows whether they went.
    """

    uncertain: int


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
        done = _stop(tx, editions.get(tx, edition_id), now=now)
        effect = Cancelled(
            skipped=done.skipped, under_way=done.under_way, sent=done.sent
        )
        audit.record_edition(
            tx, edition_id, "cancelled", actor=actor, now=now, **asdict(effect)
        )
        return effect


def recall(
    db: Database, *, edition_id: int, because: str, actor: Actor, now: datetime
) -> Recalled:
    """Call a released edition back: what is not yet sent is not sent any more.

    Its page and its place in the feeds go, too. What was sent cannot be called back;
    those who got it can be told by a correction.

    Raises:
        StateError: It was not released, or all of it is sent or cancelled already.
    """
    with db.write() as tx:
        edition = editions.get(tx, edition_id)
        _require_on_its_way(tx, edition, now=now)
        effect = _stop(tx, edition, now=now)
        detail = asdict(effect) | {"because": because}
        audit.record_edition(tx, edition_id, "recalled", actor=actor, now=now, **detail)
        return effect


def _require_on_its_way(tx: Tx, edition: Edition, *, now: datetime) -> None:
    if edition.released_at is None:
        raise StateError(
            f"Edition {edition.id} is {edition.state}: nothing of it went out.",
            f"Run: digest editions cancel {edition.id}",
        )
    if edition.state in {EditionState.SENT, EditionState.CANCELLED}:
        found = deliveries.counts(tx, edition.id, since=now).by_state
        gone = found.get(DeliveryState.SENT, 0)
        raise StateError(
            f"Edition {edition.id} is {edition.state}: {gone:,} letters went out, and "
            "none of them can be called back.",
            f"Tell those who got it: digest editions correct {edition.id} --words TEXT",
        )


def _stop(tx: Tx, edition: Edition, *, now: datetime) -> Recalled:
    editions.move(tx, edition, EditionState.CANCELLED, now=now, finished_at=now)
    skipped = deliveries.cancel_open(tx, edition.id, now=now)
    chunks.close_free(tx, edition.id)
    answers.forget(tx, edition.id)
    found = deliveries.counts(tx, edition.id, since=now).by_state
    return Recalled(
        skipped=skipped,
        under_way=found.get(DeliveryState.DISPATCHING, 0),
        sent=found.get(DeliveryState.SENT, 0),
        uncertain=found.get(DeliveryState.UNCERTAIN, 0),
    )


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
