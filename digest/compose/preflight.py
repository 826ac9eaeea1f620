"""Preflight: what is wrong with an edition before anybody receives it.

Errors refuse approval; warnings are accepted by whoever approves. docs/preflight.md
names every rule.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from digest.compose import (
    correction_rules,
    embargo_rules,
    letter_rules,
    link_rules,
    markup_rules,
    message_rules,
    picture_rules,
    sender_rules,
    story_rules,
    word_rules,
)
from digest.compose.correction import is_correction, prefix
from digest.compose.finding import Finding, refuse
from digest.compose.hour import goes_at
from digest.compose.page import Page
from digest.compose.posting import Known, Posting
from digest.compose.render import Renderings
from digest.compose.view import edition_view
from digest.domain.editions import Edition, Story
from digest.domain.errors import DigestError, RefusedError
from digest.domain.newsletters import Newsletter
from digest.domain.site import Site
from digest.domain.subscribers import LetterFormat
from digest.storage import (
    corrections,
    earlier,
    editions,
    embargoes,
    newsletters,
    subscribers,
)
from digest.storage.engine import Database, Tx
from digest.templating import Letter, Templates
from digest.templating.apart import TemplateFaultError

_ISSUES_BACK = 4
_MOST_CHOICES = 12


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


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """An edition with all it is made of."""

    edition: Edition
    newsletter: Newsletter
    stories: Sequence[Story]
    known: Known = field(default_factory=Known)


def check(
    db: Database,
    *,
    edition_id: int,
    templates: Templates,
    site: Site,
    posting: Posting,
) -> Preflight:
    """Check an edition as it stands.

    Args:
        db: The database.
        edition_id: The edition.
        templates: The installation's templates.
        site: Its public addresses.
        posting: How it would post the letters.

    Raises:
        NotFoundError: There is no such edition.
    """
    with db.read() as tx:
        loaded = load(tx, edition_id)
        return inspect(loaded, templates=templates, site=site, posting=posting)


def check_alive(
    db: Database,
    *,
    edition_id: int,
    templates: Templates,
    site: Site,
    ask: link_rules.Ask,
    progress: Callable[[int, int], object] = lambda _done, _total: None,
) -> list[Finding]:
    """Follow the links of an edition's letter that lead elsewhere.

    Args:
        db: The database.
        edition_id: The edition.
        templates: The installation's templates.
        site: Its public addresses.
        ask: Follows one address, in several threads at once.
        progress: Told how many are through, of how many.

    Raises:
        NotFoundError: There is no such edition.
        DigestError: It cannot be rendered.
    """
    with db.read() as tx:
        loaded = load(tx, edition_id)
    letter = renderings(loaded, templates, site).letter("")
    urls = link_rules.outside(Page(letter.html).links, site)
    return link_rules.check_alive(
        urls,
        loaded.stories,
        ask=ask,
        progress=lambda done: progress(done, len(urls)),
    )


def load(tx: Tx, edition_id: int) -> Loaded:
    """Load an edition and what the database knows around it.

    Raises:
        NotFoundError: There is no such edition.
    """
    edition = editions.get(tx, edition_id)
    known = Known(
        earlier=earlier.stories_before(tx, edition, issues=_ISSUES_BACK),
        choices=earlier.chosen_sections(tx, edition.newsletter_id, limit=_MOST_CHOICES),
        is_reader=lambda address: subscribers.find(tx, address) is not None,
        embargoes=embargoes.of_edition(tx, edition_id),
        goes_at=goes_at(tx, edition),
        still_sending=corrections.count_under_way(tx, edition.corrects or 0),
    )
    return Loaded(
        edition=edition,
        newsletter=newsletters.get_by_id(tx, edition.newsletter_id),
        stories=editions.stories(tx, edition_id),
        known=known,
    )


def inspect(
    loaded: Loaded,
    *,
    templates: Templates,
    site: Site,
    posting: Posting,
    made: Renderings | None = None,
) -> Preflight:
    """Check an edition that was already loaded, in the same transaction.

    Args:
        loaded: The edition.
        templates: The installation's templates.
        site: Its public addresses.
        posting: How it would post the letters.
        made: Its letters, as far as they are rendered; None: they are rendered here.
    """
    found = [*_check_edition(loaded, templates, posting)]
    found += _check_sender(loaded.newsletter, site, posting)
    html = ""
    made = made or renderings(loaded, templates, site)
    try:
        letters = _render(made, loaded.known.choices)
    except TemplateFaultError as error:
        found.append(refuse("template", str(error), error.place))
    except RefusedError as error:
        found.append(refuse("theme", str(error), "theme"))
    else:
        html = letters[""].html
        found += _check_letters(loaded, letters, site)
        found += _check_messages(loaded, made, letters, posting)
    view = edition_view(loaded.edition, loaded.newsletter, loaded.stories)
    return Preflight(
        errors=tuple(f for f in found if not f.is_warning),
        warnings=tuple(f for f in found if f.is_warning),
        size_bytes=len(html.encode("utf-8")),
        reading_minutes=view.reading_minutes,
    )


def _check_edition(
    loaded: Loaded, templates: Templates, posting: Posting
) -> Iterator[Finding]:
    edition, newsletter, stories = loaded.edition, loaded.newsletter, loaded.stories
    if is_correction(edition):
        begins = prefix(newsletter, templates=templates)
        yield from word_rules.check_subject(edition, [])
        yield from correction_rules.check_correction(
            edition, loaded.known, prefix=begins
        )
    else:
        yield from word_rules.check_subject(edition, stories)
        yield from word_rules.check_preheader(edition)
        yield from word_rules.check_some(stories)
        yield from story_rules.check_number(stories, newsletter, posting)
        yield from story_rules.check_choices(stories, newsletter, loaded.known)
        yield from story_rules.check_doubles(stories, loaded.known)
        yield from picture_rules.check_pictures(edition, stories)
    yield from word_rules.check_stories(stories, newsletter)
    yield from word_rules.check_sponsor(edition)
    yield from story_rules.check_style(stories)
    yield from story_rules.check_drafts(edition, stories)
    yield from embargo_rules.check_embargoes(newsletter, loaded.known, posting.now)


def _check_sender(
    newsletter: Newsletter, site: Site, posting: Posting
) -> Iterator[Finding]:
    yield from sender_rules.check_sender(newsletter)
    yield from sender_rules.check_site(site)
    yield from sender_rules.check_signing(newsletter, posting)


def renderings(loaded: Loaded, templates: Templates, site: Site) -> Renderings:
    """Return what renders an edition's letters, each when it is asked for."""
    return Renderings(
        loaded.edition,
        loaded.newsletter,
        loaded.stories,
        templates=templates,
        site=site,
    )


def _render(made: Renderings, choices: Sequence[str]) -> dict[str, Letter]:
    """Render what readers chose, the whole edition first; what is alike once."""
    first: dict[Letter, str] = {}
    for choice in ("", *choices):
        first.setdefault(made.letter(choice), choice)
    return {choice: letter for letter, choice in first.items()}


def _check_letters(
    loaded: Loaded, letters: Mapping[str, Letter], site: Site
) -> list[Finding]:
    """Check each rendering; what the whole edition has too is said once."""
    found: list[Finding] = []
    for choice, letter in letters.items():
        _add_new(found, _check_letter(loaded, choice, letter, site))
    return found


def _add_new(found: list[Finding], fresh: Iterable[Finding]) -> None:
    said = {(f.rule, f.where) for f in found}
    found += [f for f in fresh if (f.rule, f.where) not in said]


def _check_letter(
    loaded: Loaded, choice: str, letter: Letter, site: Site
) -> Iterator[Finding]:
    newsletter = loaded.newsletter
    view = edition_view(
        loaded.edition,
        newsletter,
        loaded.stories,
        sections=choice.split(",") if choice else (),
    )
    page = Page(letter.html)
    # The editor's words also as read: a backslash may stand before any sign.
    sources = [
        loaded.edition,
        newsletter,
        loaded.stories,
        [p.blocks for p in view.prose],
    ]
    yield from letter_rules.check_letter(letter, page, site)
    yield from letter_rules.check_content(letter, page, view)
    yield from letter_rules.check_leftovers(letter, page, sources)
    yield from letter_rules.check_strangers(letter, newsletter, site, loaded.known)
    yield from link_rules.check_links(page.links, loaded.stories, site)
    yield from markup_rules.check_markup(page, newsletter, site)


def _check_messages(
    loaded: Loaded, made: Renderings, choices: Iterable[str], posting: Posting
) -> list[Finding]:
    wanted = [(choice, form) for choice in choices for form in LetterFormat]
    variants = [
        replace(made.variant(choice, form), id=number)
        for number, (choice, form) in enumerate(wanted, start=1)
    ]
    try:
        messages = posting.write(loaded.edition, loaded.newsletter, variants)
    except DigestError as error:
        return [refuse("unwritable", str(error), "message")]
    found: list[Finding] = []
    for variant, octets in zip(variants, messages, strict=True):
        _add_new(found, message_rules.check_message(octets, variant, posting))
    return found
