"""The latest edition, as a welcome letter shows it: a headline and a few stories."""

from collections.abc import Sequence
from dataclasses import dataclass

from digest.domain.editions import Edition, Story
from digest.domain.issue import write_date
from digest.domain.newsletters import Newsletter
from digest.domain.plaintext import clean_line
from digest.domain.site import Site
from digest.domain.subscribers import Subscription
from digest.domain.webaddresses import clean_url
from digest.storage import editions
from digest.storage.engine import Tx

_MOST_STORIES = 5


@dataclass(frozen=True, kw_only=True)
class SampleStory:
    """A headline, and where the story is; None where there is nothing to follow."""

    title: str
    url: str | None


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The latest edition.

    Attributes:
        subject: Its headline.
        date: Its issue date, written out in the newsletter's language.
        url: Its page.
        stories: The lead, then the first of the sections the reader chose.
    """

    subject: str
    date: str
    url: str
    stories: Sequence[SampleStory]


def latest(
    tx: Tx, newsletter: Newsletter, held: Subscription, *, site: Site
) -> Sample | None:
    """Load what readers got last; None before the first edition."""
    found = editions.released(tx, newsletter_id=newsletter.id, limit=1)
    if not found:
        return None
    edition = found[0]
    digits = str(newsletter.theme.get("digits", "latn"))
    stories = editions.stories(tx, edition.id)
    shown = [*stories[:1], *_chosen(stories[1:], held)][:_MOST_STORIES]
    return Sample(
        subject=clean_line(edition.subject),
        date=write_date(
            edition.issue_date, language=newsletter.language, digits=digits
        ),
        url=site.archive_url(newsletter.slug, edition.issue_date.isoformat()),
        stories=[_show(story, newsletter, edition) for story in shown],
    )


def _chosen(stories: Sequence[Story], held: Subscription) -> Sequence[Story]:
    wanted = held.sections
    return [story for story in stories if not wanted or story.section in wanted]


def _show(story: Story, newsletter: Newsletter, edition: Edition) -> SampleStory:
    url = clean_url(story.url or "")
    if url is not None:
        url = newsletter.own_links.tag(
            url,
            newsletter=newsletter.slug,
            issue_date=edition.issue_date.isoformat(),
        )
    return SampleStory(title=clean_line(story.title), url=url)
