"""A rehearsal: an edition's whole list on a ledger of its own; nobody gets mail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.domain.actor import Actor
from digest.domain.editions import Edition, Variant
from digest.domain.errors import StateError
from digest.domain.site import Site
from digest.domain.states import DeliveryState
from digest.send.release import release
from digest.storage import audit, deliveries, rehearsals
from digest.storage.engine import Database

_MOST_FAILURES = 20


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What waits in the scratch database.

    Attributes:
        letters: How many.
        by_domain: How many, by receiving domain.
    """

    letters: int
    by_domain: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A letter that could not be sent even to a server that takes everything.

    Attributes:
        address: Whose it is.
        reason: Why.
    """

    address: str | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What became of the letters.

    Attributes:
        counts: By state.
        failures: The first of those that were not sent.
    """

    counts: Mapping[DeliveryState, int]
    failures: Sequence[Failure]


def prepare(
    db: Database,
    scratch: Database,
    *,
    edition: Edition,
    variants: Sequence[Variant],
    site: Site,
    key_id: int,
    actor: Actor,
    now: datetime,
) -> Prepared:
    """Copy an edition's readers beside it, and release it there.

    Args:
        db: The real database; only read.
        scratch: An empty one at the present schema.
        edition: The edition, in any state before its release.
        variants: Its renderings for all readers.
        site: The public addresses.
        key_id: The key that signs tokens.
        actor: Who rehearses.
        now: The present.

    Raises:
        StateError: There is no reader.
    """
    owner = edition.newsletter_id
    with db.read() as real, scratch.write() as tx:
        rehearsals.copy_newsletter(real, tx, owner)
        readers = rehearsals.copy_readers(
            real, tx, newsletter_id=owner, corrects=edition.corrects, now=now
        )
        if not readers:
            raise StateError(
                f"Edition {edition.id} has no reader: there is nothing to rehearse.",
                "Add some: digest subscribers add ADDRESS, or import a list.",
            )
        rehearsals.put_edition(tx, edition, variants)
        by_domain = rehearsals.count_by_domain(tx)
    release(
        scratch, edition_id=edition.id, site=site, key_id=key_id, actor=actor, now=now
    )
    return Prepared(letters=readers, by_domain=by_domain)


def hear(scratch: Database, *, edition_id: int, now: datetime) -> Heard:
    """Say what became of the letters of a rehearsal."""
    with scratch.read() as tx:
        counts = deliveries.counts(tx, edition_id, since=now).by_state
        wrong = [
            row
            for state in (DeliveryState.FAILED, DeliveryState.DEFERRED)
            for row in deliveries.list_page(
                tx, edition_id, state=state, limit=_MOST_FAILURES
            )
        ]
    return Heard(
        counts=counts,
        failures=[
            Failure(address=row.address, reason=row.reason or row.smtp_text or "")
            for row in wrong[:_MOST_FAILURES]
        ],
    )


def note(
    db: Database, *, edition_id: int, actor: Actor, now: datetime, **figures: float
) -> None:
    """Keep that an edition was rehearsed, and how it went; nothing else changes."""
    with db.write() as tx:
        audit.record_edition(
            tx, edition_id, "rehearsed", actor=actor, now=now, **figures
        )
