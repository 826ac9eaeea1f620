"""Preflight: what is wrong with an edition before anybody receives it.

Errors refuse approval; warnings are accepted by whoever approves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from digest.compose import letter_rules, word_rules
from digest.compose.finding import Finding, warn
from digest.compose.render import render
from digest.compose.view import edition_view
from digest.domain.editions import Edition, Story
from digest.domain.errors import RefusedError
from digest.domain.newsletters import Newsletter
from digest.domain.site import Site
from digest.storage import editions, newsletters
from digest.storage.engine import Database
from digest.templating import Templates


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """What was found.

    Attributes:
        errors: What must be mended.
        warnings: What an editor should look at.
        size_bytes: Of the HTML part, UTF-8; mail programs clip near 102 KB.
        reading_minutes: Of the whole letter.
    """

    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    size_bytes: int
    reading_minutes: int


def check(
    db: Database, *, edition_id: int, templates: Templates, site: Site, signed: bool
) -> Preflight:
    """Check an edition as it stands.

    Args:
        db: The database.
        edition_id: The edition.
        templates: The installation's templates.
        site: Its public addresses.
        signed: Whether there is a DKIM key.

    Raises:
        NotFoundError: There is no such edition.
    """
    with db.read() as tx:
        edition = editions.get(tx, edition_id)
        stories = editions.stories(tx, edition_id)
        newsletter = newsletters.get_by_id(tx, edition.newsletter_id)
    return inspect(
        edition, newsletter, stories, templates=templates, site=site, signed=signed
    )


def inspect(
    edition: Edition,
    newsletter: Newsletter,
    stories: Sequence[Story],
    *,
    templates: Templates,
    site: Site,
    signed: bool,
) -> Preflight:
    """Check an edition that was already loaded."""
    found = [
        *word_rules.check_subject(edition, stories),
        *word_rules.check_preheader(edition),
        *word_rules.check_stories(stories, newsletter),
        *word_rules.check_sponsor(edition),
        *word_rules.check_sender(newsletter),
    ]
    if not signed:
        found.append(
            warn(
                "unsigned",
                "Letters will not be signed: run digest dkim generate.",
                "dkim",
            )
        )
    try:
        letter = render(edition, newsletter, stories, templates=templates, site=site)
    except RefusedError as error:
        found.append(Finding(rule="theme", message=str(error), where="theme"))
        html = ""
    else:
        html = letter.html
        found += letter_rules.check_letter(letter, site)
    view = edition_view(edition, newsletter, stories)
    return Preflight(
        errors=tuple(f for f in found if not f.is_warning),
        warnings=tuple(f for f in found if f.is_warning),
        size_bytes=len(html.encode("utf-8")),
        reading_minutes=view.reading_minutes,
    )
