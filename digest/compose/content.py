"""Name exactly what an edition's letter is made of."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from digest.compose.correction import layout_of
from digest.domain.editions import Edition, Story
from digest.domain.newsletters import Newsletter
from digest.domain.site import Site
from digest.templating import Templates

_EDITION = ("kind", "number", "subject", "preheader", "opening", "opening_by", "why")
_NEWSLETTER = (
    *("slug", "name", "language", "direction", "postal_address", "purpose"),
    *("list_id", "template", "theme", "when_empty"),
)


def content_hash(
    edition: Edition,
    newsletter: Newsletter,
    stories: Sequence[Story],
    *,
    templates: Templates,
    site: Site,
) -> str:
    """Hash everything that determines the letter.

    Returns:
        64 hexadecimal digits; they change with any word, story, sender, colour,
        address, template or translation that a reader could see.
    """
    content: dict[str, Any] = {
        "edition": {name: getattr(edition, name) for name in _EDITION},
        "issue_date": edition.issue_date.isoformat(),
        "sponsor": asdict(edition.sponsor) if edition.sponsor else None,
        "support": asdict(edition.support) if edition.support else None,
        "picks": [asdict(pick) for pick in edition.picks],
        "stories": [_story(story) for story in stories],
        "newsletter": {name: getattr(newsletter, name) for name in _NEWSLETTER},
        "sender": asdict(newsletter.sender),
        "own_links": asdict(newsletter.own_links),
        "sections": [(s.slug, s.title, s.thumbnails) for s in newsletter.sections],
        "site": asdict(site),
        "templates": templates.fingerprint(
            layout_of(edition, newsletter), language=newsletter.language
        ),
    }
    if edition.corrects is not None:
        content["corrects"] = edition.corrects
    written = json.dumps(content, sort_keys=True, default=dict)
    return hashlib.sha256(written.encode("utf-8")).hexdigest()


def _story(story: Story) -> dict[str, Any]:
    values = asdict(story)
    del values["id"], values["edition_id"], values["published_on"]
    return values
