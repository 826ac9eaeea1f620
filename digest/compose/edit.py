"""Edit a draft: the editor's words, the lead, what is dropped, added and moved."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

from digest.compose.content import content_hash
from digest.compose.draft import Composed, picked
from digest.compose.order import arrange, as_story, find, lead_with, move_to
from digest.compose.proposal import Proposal, propose
from digest.compose.view import clean, web_address
from digest.compose.withdraw import require_changeable, withdraw_approval
from digest.domain.actor import Actor
from digest.domain.editions import Edition, Sponsor, Story
from digest.domain.errors import RefusedError, StateError
from digest.domain.newsletters import Newsletter
from digest.domain.site import Site
from digest.storage import audit, editions, newsletters
from digest.storage.engine import Database, Tx
from digest.templating import Templates

_ONE_LINE = ("subject", "preheader", "opening_by", "why")
_FOLLOWED = ("The proposed subject follows the new lead: read it.",)
_SPONSOR_FIELDS = {f.name for f in fields(Sponsor)}


@dataclass(frozen=True, kw_only=True)
class StoryWords:
    """New words for one story; None leaves what it has.

    Attributes:
        title: Its headline.
        standfirst: Its one to three sentences.
        alt: What its picture shows.
        credit: Who made its picture.
        section: Slug of the section it shall stand in.
    """

    title: str | None = None
    standfirst: str | None = None
    alt: str | None = None
    credit: str | None = None
    section: str | None = None


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What to change; None and empty leave things as they are.

    Stories are named by their article's id. Order of work: drop, add, words, lead,
    moves.

    Attributes:
        subject: One line.
        preheader: One line.
        opening: The words at the top; an empty line parts paragraphs.
        opening_by: Who signs them.
        why: "Why it matters", one sentence.
        sponsor: The paid block.
        no_sponsor: Take the paid block out.
        lead: The story to lead with.
        drop: Stories to take out.
        add: Articles to take in, each at the end of its section.
        moves: Pairs of a story and its position, from 1; 1 makes it the lead.
        stories: New words for stories.
    """

    subject: str | None = None
    preheader: str | None = None
    opening: str | None = None
    opening_by: str | None = None
    why: str | None = None
    sponsor: Sponsor | None = None
    no_sponsor: bool = False
    lead: int | None = None
    drop: Sequence[int] = ()
    add: Sequence[int] = ()
    moves: Sequence[tuple[int, int]] = ()
    stories: Mapping[int, StoryWords] = field(default_factory=dict)


def edit(
    db: Database,
    *,
    edition_id: int,
    changes: Changes,
    templates: Templates,
    site: Site,
    actor: Actor,
    now: datetime,
) -> Composed:
    """Change an edition; a change withdraws its approval.

    Args:
        db: The database.
        edition_id: The edition.
        changes: What to change.
        templates: The installation's templates.
        site: Its public addresses.
        actor: Who edits.
        now: The present.

    Returns:
        The edition as it is now.

    Raises:
        NotFoundError: There is no such edition, story, article or section.
        StateError: It was released or cancelled, or somebody else changed it.
        RefusedError: An article belongs to another newsletter.
    """
    with db.write() as tx:
        before = editions.get(tx, edition_id)
        require_changeable(before)
        newsletter = newsletters.get_by_id(tx, before.newsletter_id)
        old = editions.stories(tx, edition_id)
        stories = _change_stories(tx, old, newsletter, changes)
        was = propose(before, newsletter, old, templates=templates)
        worded = _change_words(before, changes)
        becomes = propose(worded, newsletter, stories, templates=templates)
        edition = _follow(before, was, becomes, worded)
        stamp = content_hash(
            edition, newsletter, stories, templates=templates, site=site
        )
        if stamp == before.content_hash:
            return Composed(edition=before, newsletter=newsletter, stories=old)
        withdraw_approval(tx, before, actor=actor, now=now)
        stored = editions.update(
            tx,
            replace(edition, content_hash=stamp),
            stories,
            replaces=before.content_hash,
            now=now,
        )
        audit.record(
            tx,
            actor=actor,
            action="edition.edited",
            subject=("edition", edition_id),
            now=now,
            detail={"changed": _changed(before, edition, old, stories)},
        )
        proposed = edition.subject == becomes.subject != before.subject
        return Composed(
            edition=stored,
            newsletter=newsletter,
            stories=editions.stories(tx, edition_id),
            notes=_FOLLOWED if proposed else (),
        )


def read_sponsor(text: str) -> Sponsor:
    """Read a paid block from TOML: name, title, text and url.

    Raises:
        RefusedError: It is not TOML, or a field is missing, unknown or no text.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RefusedError(
            f"The sponsor file is not valid TOML: {error}.",
            'It has four lines: name = "…", title = "…", text = "…", url = "https://…".',
        ) from None
    known = {name: values[name] for name in _SPONSOR_FIELDS if name in values}
    wrong = [n for n, v in known.items() if not isinstance(v, str) or not v.strip()]
    odd = sorted({*(_SPONSOR_FIELDS ^ values.keys()), *wrong})
    if odd:
        raise RefusedError(
            f"The sponsor file has a missing, unknown or empty field: {odd[0]}.",
            "It needs name, title, text and url, each a text.",
        )
    if not str(web_address(known["url"])).startswith("https:"):
        raise RefusedError(
            "The sponsor's url is not a https address.", "Write it as https://…"
        )
    return Sponsor(**known)


def _follow(
    before: Edition, was: Proposal, becomes: Proposal, worded: Edition
) -> Edition:
    """Let proposed words follow the stories; what an editor wrote stays."""
    kept = {
        name: getattr(becomes, name)
        for name in ("subject", "preheader")
        if getattr(before, name) == getattr(worded, name) == getattr(was, name)
    }
    return replace(worded, **kept)


def _change_words(edition: Edition, changes: Changes) -> Edition:
    lines = {
        name: " ".join(clean(value).split())
        for name in _ONE_LINE
        if (value := getattr(changes, name)) is not None
    }
    opening = edition.opening if changes.opening is None else clean(changes.opening)
    sponsor = None if changes.no_sponsor else changes.sponsor or edition.sponsor
    return replace(edition, opening=opening, sponsor=sponsor, **lines)  # type: ignore[arg-type] # texts


def _change_stories(
    tx: Tx, stories: Sequence[Story], newsletter: Newsletter, changes: Changes
) -> list[Story]:
    dropped = {find(stories, article_id).article_id for article_id in changes.drop}
    made = [s for s in stories if s.article_id not in dropped]
    made += _added(tx, made, newsletter, changes.add)
    for article_id, words in changes.stories.items():
        old = find(made, article_id)
        made[made.index(old)] = _reword(old, words, newsletter)
    made = arrange(made, newsletter)
    if changes.lead is not None:
        made = arrange(lead_with(made, changes.lead), newsletter)
    for article_id, position in changes.moves:
        made = arrange(move_to(made, article_id, position), newsletter)
    return made


def _added(
    tx: Tx, stories: Sequence[Story], newsletter: Newsletter, ids: Sequence[int]
) -> list[Story]:
    known = {s.article_id for s in stories}
    twice = [str(article_id) for article_id in ids if article_id in known]
    if twice:
        raise StateError(
            f"The edition carries article {', '.join(twice)} already.",
            "Move it with --move ARTICLE:POSITION.",
        )
    return [as_story(a, newsletter) for a in picked(tx, newsletter, ids)]


def _reword(story: Story, words: StoryWords, newsletter: Newsletter) -> Story:
    if words.section is not None:
        newsletter.require_section(words.section)
    image = replace(
        story.image,
        alt=_line(words.alt, story.image.alt),
        credit=_line(words.credit, story.image.credit),
    )
    return replace(
        story,
        title=_line(words.title, story.title),
        standfirst=_line(words.standfirst, story.standfirst),
        section=words.section or story.section,
        image=image,
    )


def _line(new: str | None, old: str) -> str:
    return old if new is None else " ".join(clean(new).split())


def _changed(
    before: Edition, after: Edition, old: Sequence[Story], new: Sequence[Story]
) -> list[str]:
    names = [*_ONE_LINE, "opening", "sponsor"]
    changed = [n for n in names if getattr(before, n) != getattr(after, n)]
    return [*changed, "stories"] if list(old) != list(new) else changed
