"""Which stories an edition takes, and in which order they stand. Pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from digest.domain.articles import Article
from digest.domain.editions import Story
from digest.domain.errors import NotFoundError, StateError
from digest.domain.newsletters import Newsletter


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What was chosen.

    Attributes:
        stories: In order; the first one leads.
        notes: What the editor should know: stories left out or without a section.
    """

    stories: list[Story]
    notes: tuple[str, ...]


def choose(
    articles: Sequence[Article], newsletter: Newsletter, *, picked: bool
) -> Choice:
    """Turn articles into an edition's stories.

    Args:
        articles: Featured ones first, then the newest; or an operator's picks, whose
            first one leads.
        newsletter: Its sections say how many of each are taken.
        picked: Whether a person picked them: then none is left out.
    """
    notes = [_unmapped_note(a, newsletter) for a in articles if _is_lost(a, newsletter)]
    stories = [as_story(article, newsletter) for article in articles]
    if not picked:
        stories = lead_with(stories, _lead(articles, newsletter))
        stories, left_out = _cap(stories, newsletter)
        if left_out:
            ids = ", ".join(str(s.article_id) for s in left_out)
            notes.append(f"No room in their sections for: {ids}. Add with --add.")
    return Choice(stories=arrange(stories, newsletter), notes=tuple(notes))


def as_story(article: Article, newsletter: Newsletter) -> Story:
    """Copy what an edition carries of an article; without a section it is news."""
    lost = _is_lost(article, newsletter)
    return Story(
        article_id=article.id,
        section=newsletter.sections[0].slug if lost else str(article.section),
        position=0,
        title=article.title,
        url=article.url,
        standfirst=article.standfirst,
        image=article.image,
        source=article.source,
        word_count=article.word_count,
        published_on=article.published_on,
    )


def arrange(stories: Sequence[Story], newsletter: Newsletter) -> list[Story]:
    """Keep the first story first, put the others by section, number them from 1."""
    order = {section.slug: i for i, section in enumerate(newsletter.sections)}
    others = sorted(stories[1:], key=lambda s: order.get(s.section, len(order)))
    return [
        replace(story, position=position)
        for position, story in enumerate([*stories[:1], *others], start=1)
    ]


def lead_with(stories: Sequence[Story], article_id: int) -> list[Story]:
    """Put a story first; the former lead follows it.

    Raises:
        NotFoundError: The edition does not carry it.
    """
    chosen = find(stories, article_id)
    return [chosen, *(s for s in stories if s is not chosen)]


def move_to(stories: Sequence[Story], article_id: int, position: int) -> list[Story]:
    """Put a story at a position, from 1; within its section, as `arrange` sees to.

    Raises:
        NotFoundError: The edition does not carry it.
        StateError: There is no such position.
    """
    if not 1 <= position <= len(stories):
        raise StateError(
            f"There is no position {position}: the edition has {len(stories)} stories.",
            "Positions count from 1, the lead.",
        )
    chosen = find(stories, article_id)
    rest = [s for s in stories if s is not chosen]
    return [*rest[: position - 1], chosen, *rest[position - 1 :]]


def find(stories: Sequence[Story], article_id: int) -> Story:
    """Return the story made from an article.

    Raises:
        NotFoundError: The edition does not carry it.
    """
    found = next((s for s in stories if s.article_id == article_id), None)
    if found is None:
        carried = ", ".join(str(s.article_id) for s in stories) or "none"
        raise NotFoundError(
            f"The edition does not carry article {article_id}.",
            f"It carries: {carried}.",
        )
    return found


def _lead(articles: Sequence[Article], newsletter: Newsletter) -> int:
    """Choose the first featured story, else the newest of the first section."""
    first = newsletter.sections[0].slug
    featured = next((a for a in articles if a.featured), None)
    news = next((a for a in articles if a.section == first), None)
    return (featured or news or articles[0]).id


def _cap(
    stories: Sequence[Story], newsletter: Newsletter
) -> tuple[list[Story], list[Story]]:
    room = {section.slug: section.cap for section in newsletter.sections}
    taken: list[Story] = []
    left_out: list[Story] = []
    for story in stories:
        # The lead is taken in any case; it uses up room of its section.
        has_room = not taken or room[story.section] > 0
        (taken if has_room else left_out).append(story)
        room[story.section] -= 1
    return taken, left_out


def _is_lost(article: Article, newsletter: Newsletter) -> bool:
    return article.section is None or newsletter.section(article.section) is None


def _unmapped_note(article: Article, newsletter: Newsletter) -> str:
    place = newsletter.sections[0].title
    named = f" ({article.section})" if article.section else ""
    return f"Article {article.id} has no section here{named}: it stands in {place}."
