"""How far an edition is, and when nothing is left to carry."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.domain.actor import Actor
from digest.domain.editions import Edition
from digest.domain.errors import StateError
from digest.domain.states import DeliveryState, EditionState
from digest.storage import answers, audit, chunks, deliveries, editions, rates
from digest.storage.engine import Database

_RATE_WINDOW = timedelta(seconds=30)
# A day of the warm-up; all others are shorter.
_LONGEST_SPAN = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Status:
    """How far an edition is.

    Attributes:
        state: The edition's.
        counts: Deliveries in every state, also those with none.
        started_at: When it was released.
        finished_at: When nothing was left to carry.
        rate_per_second: Letters sent a second lately; 0 unless it is being sent.
        eta: When it will be through at that rate; None where that cannot be said.
        pause_reason: Why it stands still, where it does.
    """

    state: EditionState
    counts: dict[DeliveryState, int]
    started_at: datetime | None
    finished_at: datetime | None
    rate_per_second: float
    eta: datetime | None
    pause_reason: str | None


def finish_editions(db: Database, *, actor: Actor, now: datetime) -> list[int]:
    """Move editions of which nothing is left to carry to `sent`.

    Letters in doubt do not hold an edition open: they wait for an operator, and its
    status goes on counting them.

    Returns:
        Their ids.
    """
    with db.read() as tx:
        found = chunks.finished_editions(tx)
    for edition_id in found:
        # Of two workers that come here at once, one is too late.
        with suppress(StateError):
            _finish(db, edition_id, actor=actor, now=now)
    return found


def _finish(db: Database, edition_id: int, *, actor: Actor, now: datetime) -> None:
    with db.write() as tx:
        edition = editions.get(tx, edition_id)
        editions.move(tx, edition, EditionState.SENT, now=now, finished_at=now)
        answers.forget(tx, edition_id)
        rates.forget(tx, before=now - _LONGEST_SPAN)
        counts = deliveries.counts(tx, edition_id, since=now).by_state
        audit.record(
            tx,
            actor=actor,
            action="edition.finished",
            subject=("edition", edition_id),
            now=now,
            detail={"counts": counts},
        )


def status(db: Database, *, edition_id: int, now: datetime) -> Status:
    """Say how far an edition is.

    Raises:
        NotFoundError: There is no such edition.
    """
    with db.read() as tx:
        edition = editions.get(tx, edition_id)
        found = deliveries.counts(tx, edition_id, since=now - _RATE_WINDOW)
    rate = _rate(edition, found.recent, now=now)
    left = found.open()
    return Status(
        state=edition.state,
        counts={state: found.by_state.get(state, 0) for state in DeliveryState},
        started_at=edition.released_at,
        finished_at=edition.finished_at,
        rate_per_second=round(rate, 1),
        eta=now + timedelta(seconds=left / rate) if left and rate else None,
        pause_reason=edition.pause_reason,
    )


def _rate(edition: Edition, letters: int, *, now: datetime) -> float:
    if edition.state != EditionState.SENDING or edition.released_at is None:
        return 0.0
    span = min(now - edition.released_at, _RATE_WINDOW)
    return letters / max(span.total_seconds(), 1.0)
