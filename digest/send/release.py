"""Release an edition to the post: freeze it, and plan its deliveries."""

from dataclasses import asdict
from datetime import datetime

from digest.dispatch.port import Dispatch, InProcess
from digest.domain.actor import Actor
from digest.domain.deliveries import Imprint
from digest.domain.editions import Edition
from digest.domain.errors import StateError
from digest.domain.newsletters import Newsletter, WhenEmpty
from digest.domain.site import Site
from digest.domain.states import EditionState
from digest.domain.theme import read_theme
from digest.send.letter import check_letters
from digest.storage import (
    audit,
    corrections,
    deliveries,
    editions,
    embargoes,
    newsletters,
)
from digest.storage.engine import Database, Tx, driver_connection

CHUNK_SIZE = 1000
_IN_PROCESS = InProcess()


class VariantsMissingError(StateError):
    """Readers asked for renderings that the edition does not have yet."""


def release(
    db: Database,
    *,
    edition_id: int,
    site: Site,
    key_id: int,
    actor: Actor,
    now: datetime,
    at: datetime | None = None,
    chunk_size: int = CHUNK_SIZE,
    dispatch: Dispatch = _IN_PROCESS,
) -> Edition:
    """Give an approved edition to the post, in one transaction (design rule 1).

    Args:
        db: The database.
        edition_id: An approved or scheduled edition.
        site: The public addresses its letters will carry.
        key_id: The key that signs the tokens of its letters.
        actor: Who releases.
        now: The present.
        at: Only set the time; the worker releases it then.
        chunk_size: Deliveries a worker claims at once.
        dispatch: How workers are woken.

    Returns:
        The edition, `sending` or `scheduled`.

    Raises:
        StateError: It is not approved, was changed since, was released before, has
            no readers, or a story that may not be seen yet.
        DigestError: Its words cannot stand in a letter.
        VariantsMissingError: A rendering that a reader asked for is missing.
        NotFoundError: There is no such edition.
    """
    with db.write() as tx:
        edition = editions.get(tx, edition_id)
        _require_approval(edition)
        _require_no_embargo(tx, edition, at=max(at or now, now))
        if at is not None and at > now:
            return _schedule(tx, edition, at=at, actor=actor, now=now)
        _require_over(tx, edition)
        newsletter = newsletters.get_by_id(tx, edition.newsletter_id)
        _require_variants(tx, edition, now=now)
        imprint = imprint_of(edition, newsletter, site)
        check_letters(imprint, editions.variants(tx, edition.id))
        # First, so that of two releases at once the second finds it moved.
        moved = editions.move(
            tx,
            edition,
            EditionState.SENDING,
            now=now,
            frozen=asdict(imprint),
            released_at=now,
        )
        readers = deliveries.plan(
            tx,
            edition_id=edition.id,
            newsletter_id=newsletter.id,
            time_zone=newsletter.time_zone,
            key_id=key_id,
            chunk_size=chunk_size,
            skip_bare=newsletter.when_empty == WhenEmpty.SKIP,
            corrects=edition.corrects,
            now=now,
        )
        if not readers:
            raise _no_readers(edition, newsletter)
        numbers = range(-(-readers // chunk_size))
        dispatch.enqueue(driver_connection(tx), edition.id, numbers)
        audit.record_edition(
            tx, edition.id, "released", actor=actor, now=now, readers=readers
        )
        return moved


def _require_approval(edition: Edition) -> None:
    if edition.state not in {EditionState.APPROVED, EditionState.SCHEDULED}:
        if edition.released_at is not None:
            raise StateError(
                f"Edition {edition.id} was released before: it is {edition.state}.",
                f"See: digest editions status {edition.id}",
            )
        raise StateError(
            f"Edition {edition.id} is {edition.state}, not approved.",
            f"Run: digest editions approve {edition.id}",
        )
    if edition.approved_hash != edition.content_hash:
        raise StateError(
            f"Edition {edition.id} was changed after its approval.",
            f"Look at it and run: digest editions approve {edition.id}",
        )


def _require_no_embargo(tx: Tx, edition: Edition, *, at: datetime) -> None:
    held = embargoes.of_edition(tx, edition.id, at=at)
    if held:
        first = max(held, key=lambda embargo: embargo.until)
        raise StateError(
            f"Article {first.article_id} of edition {edition.id} is under embargo "
            f"until {first.until:%Y-%m-%d %H:%M} UTC.",
            f"Release it later (--at), or: digest editions edit {edition.id} --drop "
            f"{first.article_id}",
        )


def _require_over(tx: Tx, edition: Edition) -> None:
    """Let a correction wait until nobody gets the mistake any more."""
    wrong = edition.corrects
    if wrong is not None and corrections.count_under_way(tx, wrong):
        raise StateError(
            f"Edition {wrong}, which edition {edition.id} corrects, is still being "
            "sent.",
            f"Run: digest editions recall {wrong}",
        )


def _no_readers(edition: Edition, newsletter: Newsletter) -> StateError:
    if edition.corrects is not None:
        return StateError(
            f"Nobody who got edition {edition.corrects} is a reader any more.",
            f"Run: digest editions cancel {edition.id}",
        )
    return StateError(
        f"{newsletter.name} has no active readers.",
        "Add some: digest subscribers add ADDRESS, or import a list.",
    )


def _require_variants(tx: Tx, edition: Edition, *, now: datetime) -> None:
    missing = deliveries.missing_variants(
        tx,
        edition_id=edition.id,
        newsletter_id=edition.newsletter_id,
        corrects=edition.corrects,
        now=now,
    )
    if missing:
        names = ", ".join(
            f"{sections or 'all'} as {form}" for sections, form in missing
        )
        raise VariantsMissingError(
            f"Edition {edition.id} is not rendered for: {names}.",
            f"Run: digest editions approve {edition.id}",
        )


def _schedule(
    tx: Tx, edition: Edition, *, at: datetime, actor: Actor, now: datetime
) -> Edition:
    if edition.state == EditionState.SCHEDULED:
        edition = editions.move(tx, edition, EditionState.APPROVED, now=now)
    moved = editions.move(tx, edition, EditionState.SCHEDULED, now=now, scheduled_at=at)
    audit.record_edition(
        tx, edition.id, "scheduled", actor=actor, now=now, at=at.isoformat()
    )
    return moved


def imprint_of(edition: Edition, newsletter: Newsletter, site: Site) -> Imprint:
    """Collect what every letter of an edition shares."""
    return Imprint(
        edition_id=edition.id,
        kind=edition.kind,
        issue_date=edition.issue_date.isoformat(),
        newsletter=newsletter.slug,
        name=newsletter.name,
        from_name=newsletter.sender.name,
        from_address=newsletter.sender.address,
        reply_to=newsletter.sender.reply_to,
        list_id=newsletter.list_id,
        language=newsletter.language,
        digits=read_theme(newsletter.theme, direction=newsletter.direction).digits,
        base_url=site.base_url,
        mail_domain=site.mail_domain,
    )


def due(db: Database, *, now: datetime) -> list[int]:
    """Find scheduled editions whose time has come."""
    with db.read() as tx:
        return editions.due(tx, now=now)


def unschedule(
    db: Database, *, edition_id: int, reason: str, actor: Actor, now: datetime
) -> bool:
    """Take an edition whose release failed back, or the worker tries for ever.

    Returns:
        Whether it was still scheduled.
    """
    with db.write() as tx:
        edition = editions.get(tx, edition_id)
        if edition.state != EditionState.SCHEDULED:
            return False
        editions.move(tx, edition, EditionState.APPROVED, now=now, scheduled_at=None)
        audit.record_edition(
            tx, edition.id, "release_failed", actor=actor, now=now, reason=reason
        )
        return True
