"""Show what a reader gets: the frozen rendering, or a draft's as it stands."""

from collections.abc import Sequence
from dataclasses import dataclass

from digest.compose.render import Renderings
from digest.domain.editions import Edition, Variant
from digest.domain.newsletters import Newsletter
from digest.domain.site import Site
from digest.domain.subscribers import LetterFormat
from digest.storage import editions, newsletters
from digest.storage.engine import Database
from digest.templating import Templates


@dataclass(frozen=True, kw_only=True)
class Preview:
    """One rendering, personal values still as slots.

    Attributes:
        edition: The edition.
        newsletter: Its newsletter.
        variant: Subject, HTML and text; its id is 0 where it is not frozen.
        is_frozen: Whether exactly this will be, or was, posted.
    """

    edition: Edition
    newsletter: Newsletter
    variant: Variant
    is_frozen: bool


def preview(
    db: Database,
    *,
    edition_id: int,
    templates: Templates,
    site: Site,
    sections: Sequence[str] = (),
) -> Preview:
    """Render one variant of an edition, or take the frozen one.

    Args:
        db: The database.
        edition_id: The edition.
        templates: The installation's templates.
        site: Its public addresses.
        sections: Slugs a reader chose; none: all.

    Raises:
        NotFoundError: There is no such edition or section.
    """
    with db.read() as tx:
        edition = editions.get(tx, edition_id)
        newsletter = newsletters.get_by_id(tx, edition.newsletter_id)
        stories = editions.stories(tx, edition_id)
        frozen = editions.variants(tx, edition_id)
    for slug in sections:
        newsletter.require_section(slug)
    chosen = ",".join(sorted(sections))
    for variant in frozen:
        if (variant.sections, variant.format) == (chosen, LetterFormat.HTML):
            return Preview(
                edition=edition, newsletter=newsletter, variant=variant, is_frozen=True
            )
    made = Renderings(edition, newsletter, stories, templates=templates, site=site)
    return Preview(
        edition=edition,
        newsletter=newsletter,
        variant=made.variant(chosen, LetterFormat.HTML),
        is_frozen=False,
    )
