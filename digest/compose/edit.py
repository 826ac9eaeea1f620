"""Edit a draft: the editor's words, the lead, what is dropped, added and moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from digest.compose.content import content_hash
from digest.compose.draft import Composed, picked
from digest.compose.order import arrange, as_story, find, lead_with, move_to
from digest.compose.proposal import Proposal, propose
from digest.compose.view import clean
from digest.compose.withdraw import (
    require_changeable,
    require_unchanged,
    withdraw_approval,
)
from digest.domain.actor import Actor
from digest.domain.editions import Edition, Pick, Sponsor, Story, Support
from digest.domain.errors import StateError
from digest.domain.newsletters import Newsletter
from digest.domain.site import Site
from digest.storage import audit, editions, newsletters
from digest.storage.engine import Database, Tx
from digest.templating import Templates

_ONE_LINE = ("subject", "preheader", "opening_by", "why")
_FOLLOWED = "The proposed subject follows the new lead: read it."
_LEFT_BEHIND = "“Why it matters” was written beside another lead: read it."


@dataclass(frozen=True, kw_only=True)
class StoryWords:
    """New words for one story; None leaves what it has.

    Attributes:
        title: Its headline.
        standfirst: Its one to three sentences.
        alt: What its picture shows.
        credit: Who made its picture.
        caption: Words under its picture, where it leads.
        image: Where another picture of it is from; empty: it shall have none.
        section: Slug of the section it shall stand in.
    """

    title: str | None = None
    standfirst: str | None = None
    alt: str | None = None
    credit: str | None = None
    caption: str | None = None
    image: str | None = None
    section: str | None = None


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What to change; None and empty leave things as they are.

    Stories are named by their article's id. Order of work: drop, add, words, lead,
    moves.

    Attributes:
        subject: One line.
        preheader: One line.
        opening: The words at the top, limited Markdown; an empty line parts
            paragraphs.
        opening_by: Who signs them.
        why: "Why it matters", one sentence, limited Markdown.
        sponsor: The paid block.
        no_sponsor: Take the paid block out.
        support: The publication's own request.
        no_support: Take that out.
        picks: "Read, watch, go", all of it; empty takes it out.
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
    support: Support | None = None
    no_support: bool = False
    picks: Sequence[Pick] | None = None
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
    seen: str | None = None,
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
        seen: Names the content that was looked at; None: whatever is there.

    Returns:
        The edition as it is now.

    Raises:
        ChangedError: It is no longer what was seen.
        NotFoundError: There is no such edition, story, article or section.
        StateError: It was released or cancelled, or somebody else changed it.
        RefusedError: An article belongs to another newsletter.
    """
    with db.write() as tx:
        before = editions.get(tx, edition_id)
        require_changeable(before)
        newsletter = newsletters.get_by_id(tx, before.newsletter_id)
        old = editions.stories(tx, edition_id)
        stamp = content_hash(before, newsletter, old, templates=templates, site=site)
        require_unchanged(edition_id, stamp, seen)
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
            notes=(
                *((_FOLLOWED,) if proposed else ()),
                *(
                    (_LEFT_BEHIND,)
                    if _is_why_left(before, edition, old, stories)
                    else ()
                ),
            ),
        )


def _is_why_left(
    before: Edition, after: Edition, old: Sequence[Story], new: Sequence[Story]
) -> bool:
    """Tell whether another story leads and "Why it matters" stayed as it was."""
    leads = [[story.article_id for story in stories[:1]] for stories in (old, new)]
    return bool(after.why) and after.why == before.why and leads[0] != leads[1]


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
    support = None if changes.no_support else changes.support or edition.support
    picks = edition.picks if changes.picks is None else tuple(changes.picks)
    worded = replace(edition, **lines)  # type: ignore[arg-type] # texts
    return replace(
        worded, opening=opening, sponsor=sponsor, support=support, picks=picks
    )


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
    picture = story.picture
    if words.image is not None:
        image, picture = replace(image, url=words.image or None), None
    return replace(
        story,
        picture=picture,
        title=_line(words.title, story.title),
        standfirst=_line(words.standfirst, story.standfirst),
        section=words.section or story.section,
        image=image,
        caption=_line(words.caption, story.caption),
    )


def _line(new: str | None, old: str) -> str:
    return old if new is None else " ".join(clean(new).split())


def _changed(
    before: Edition, after: Edition, old: Sequence[Story], new: Sequence[Story]
) -> list[str]:
    names = [*_ONE_LINE, "opening", "sponsor", "support", "picks"]
    changed = [n for n in names if getattr(before, n) != getattr(after, n)]
    return [*changed, "stories"] if list(old) != list(new) else changed
