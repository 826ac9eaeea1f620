"""Freeze an approved edition: render what its readers asked for, once and for all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.compose.content import content_hash
from digest.compose.render import Renderings
from digest.compose.withdraw import require_changeable
from digest.domain.editions import Edition, Variant
from digest.domain.errors import StateError
from digest.domain.newsletters import Newsletter
from digest.domain.site import Site
from digest.domain.states import EditionState
from digest.domain.subscribers import LetterFormat
from digest.storage import deliveries, editions, newsletters
from digest.storage.engine import Database, Tx
from digest.templating import Templates

_FREEZABLE = frozenset({EditionState.APPROVED, EditionState.SCHEDULED})


def freeze(
    db: Database, *, edition_id: int, templates: Templates, site: Site, now: datetime
) -> list[Variant]:
    """Render the variants that present subscriptions want and are still missing.

    Repeating it is harmless: what is frozen stays as it is.

    Args:
        db: The database.
        edition_id: An approved or scheduled edition.
        templates: The installation's templates.
        site: Its public addresses.
        now: The present.

    Returns:
        Every variant of the edition.

    Raises:
        NotFoundError: There is no such edition.
        StateError: It is not approved or was released, or a template, a word or the
            newsletter changed since.
    """
    with db.write() as tx:
        edition = editions.get(tx, edition_id)
        _require_approval(edition)
        newsletter = newsletters.get_by_id(tx, edition.newsletter_id)
        stories = editions.stories(tx, edition_id)
        stamp = content_hash(
            edition, newsletter, stories, templates=templates, site=site
        )
        if stamp != edition.approved_hash:
            raise StateError(
                f"Edition {edition_id} is no longer what was approved: the newsletter, "
                "a template or the site's address has changed.",
                f"Look at it and run: digest editions approve {edition_id}",
            )
        made = Renderings(edition, newsletter, stories, templates=templates, site=site)
        put_missing(tx, edition, made, now=now)
        return editions.variants(tx, edition_id)


def _require_approval(edition: Edition) -> None:
    if edition.state in _FREEZABLE:
        return
    if edition.released_at is not None:
        raise StateError(
            f"Edition {edition.id} was released before: it is {edition.state}.",
            f"See: digest editions status {edition.id}",
        )
    raise StateError(
        f"Edition {edition.id} is {edition.state}, not approved.",
        f"Run: digest editions approve {edition.id}",
    )


def put_missing(tx: Tx, edition: Edition, made: Renderings, *, now: datetime) -> None:
    """Store the wanted variants that are not there yet, rendered where need be."""
    for variant in _missing(tx, made, edition, now=now):
        editions.put_variant(tx, variant)


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """An edition as it would be posted now; nothing of it is stored.

    Attributes:
        edition: The edition.
        newsletter: Its newsletter.
        variants: Every rendering its readers ask for: the frozen ones, and others.
    """

    edition: Edition
    newsletter: Newsletter
    variants: Sequence[Variant]


def render_all(
    db: Database, *, edition_id: int, templates: Templates, site: Site, now: datetime
) -> Rendered:
    """Render an edition for all its readers without freezing it.

    Args:
        db: The database; nothing is written.
        edition_id: An edition that was not released.
        templates: The installation's templates.
        site: Its public addresses.
        now: The present.

    Raises:
        NotFoundError: There is no such edition.
        StateError: It was released or cancelled.
    """
    with db.read() as tx:
        edition = editions.get(tx, edition_id)
        require_changeable(edition)
        newsletter = newsletters.get_by_id(tx, edition.newsletter_id)
        stories = editions.stories(tx, edition_id)
        made = Renderings(edition, newsletter, stories, templates=templates, site=site)
        frozen = editions.variants(tx, edition_id)
        fresh = list(_missing(tx, made, edition, now=now))
    return Rendered(edition=edition, newsletter=newsletter, variants=[*frozen, *fresh])


def _missing(
    tx: Tx, made: Renderings, edition: Edition, *, now: datetime
) -> Iterator[Variant]:
    """Render what readers ask for and is not frozen yet."""
    known = {(v.sections, v.format) for v in editions.variants(tx, edition.id)}
    missing = {("", f.value) for f in LetterFormat} - known
    missing |= set(
        deliveries.missing_variants(
            tx,
            edition_id=edition.id,
            newsletter_id=edition.newsletter_id,
            corrects=edition.corrects,
            now=now,
        )
    )
    for sections, letter_format in sorted(missing):
        yield made.variant(sections, LetterFormat(letter_format))
