"""Preflight rules about pictures: that they are there, and large enough."""

from collections.abc import Iterator, Sequence

from digest.compose.finding import Finding, warn
from digest.domain.editions import Edition, Story
from digest.domain.pictures import SMALL


def check_pictures(edition: Edition, stories: Sequence[Story]) -> Iterator[Finding]:
    """Check what readers will see of each story's picture."""
    for story in stories:
        where = f"article {story.article_id}"
        if story.image.url and story.picture is None:
            yield warn(
                "picture",
                "The picture was not fetched, so the story shows none. Why, and once "
                f"more: digest editions pictures {edition.id}",
                where,
            )
        is_lead = story.position == 1
        if is_lead and story.picture and story.picture.large.width < SMALL:
            yield warn(
                "picture-small",
                f"The lead's picture is {story.picture.large.width} pixels wide; "
                f"{SMALL} fill the letter and 1200 look sharp.",
                where,
            )
