"""Propose subject and preheader of an edition; an editor may keep or replace them."""

from collections.abc import Sequence
from dataclasses import dataclass

from digest.compose.render import preheader_for
from digest.compose.view import clean, edition_view
from digest.domain.editions import Edition, Story
from digest.domain.newsletters import Newsletter
from digest.domain.recipe import propose_subject
from digest.templating import Templates


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What the recipe makes of an edition's stories.

    Attributes:
        subject: The lead, in few words.
        preheader: What else there is; empty without stories.
        notes: Whether the headline was cut, so that somebody reads it.
    """

    subject: str
    preheader: str
    notes: tuple[str, ...] = ()


def propose(
    edition: Edition,
    newsletter: Newsletter,
    stories: Sequence[Story],
    *,
    templates: Templates,
) -> Proposal:
    """Apply the recipe.

    Args:
        edition: For the reading time of the editor's words.
        newsletter: Its name and language.
        stories: In order; the first one leads.
        templates: The installation's templates.
    """
    if not stories:
        return Proposal(subject="", preheader="")
    headline = " ".join(clean(stories[0].title).split())
    subject = propose_subject(headline, name=newsletter.name)
    minutes = edition_view(edition, newsletter, stories).reading_minutes
    titles = [story.title for story in stories[1:]]
    note = f"The subject was made from the headline {headline!r}: read it."
    return Proposal(
        subject=subject,
        preheader=preheader_for(newsletter, titles, minutes, templates=templates),
        notes=() if subject == headline else (note,),
    )
