"""What an edition is, for search engines: schema.org in JSON-LD.

It is data in a `<script>` element of another type than a script's, which no browser
runs (HTML §4.12.1) and no policy has to allow.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from digest.compose.view import EditionView, StoryView
from digest.domain.newsletters import Newsletter
from digest.domain.site import Site


def describe(
    view: EditionView, newsletter: Newsletter, *, site: Site, published_at: datetime
) -> Mapping[str, object]:
    """Describe an edition as a NewsArticle that has an ItemList of stories.

    Args:
        view: The edition as its page shows it.
        newsletter: Whose edition it is.
        site: For addresses.
        published_at: When readers got it.
    """
    address = site.archive_url(newsletter.slug, view.edition.issue_date.isoformat())
    found: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": view.edition.subject,
        "description": view.edition.preheader,
        "url": address,
        "mainEntityOfPage": address,
        "inLanguage": newsletter.language,
        "datePublished": published_at.isoformat(),
        "publisher": {"@type": "Organization", "name": newsletter.sender.name},
        "isPartOf": {
            "@type": "Periodical",
            "name": newsletter.name,
            "url": site.page("/", newsletter.slug),
        },
        "mainEntity": {"@type": "ItemList", "itemListElement": _items(view.stories)},
    }
    if view.lead and view.lead.image:
        found["image"] = site.page(view.lead.image.lead.path)
    return found


def _items(stories: Sequence[StoryView]) -> list[dict[str, object]]:
    return [
        {"@type": "ListItem", "position": place, "name": story.title}
        | ({"url": story.url} if story.url else {})
        for place, story in enumerate(stories, start=1)
    ]
