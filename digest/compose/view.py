"""An edition as its readers see it: one plain structure for letter, archive and feeds.

Everything from outside passes through here: slot markers and control characters are
taken out, and only addresses that are safe to follow remain.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from digest.domain.articles import Image
from digest.domain.editions import Edition, Sponsor, Story
from digest.domain.issue import reading_minutes
from digest.domain.newsletters import Newsletter
from digest.domain.recipe import shorten
from digest.domain.slots import strip_markers

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_LONGEST_LABEL = 60
# With fewer we have an excerpt, as most feeds give, and know no reading time.
_LEAST_WORDS = 120


@dataclass(frozen=True, kw_only=True)
class StoryView:
    """One story.

    Attributes:
        article_id: The article it was made from.
        section: Slug of its section.
        title: Headline.
        label: The headline, short enough for a button.
        url: `https://…` or `http://…`; None where there is nothing to follow.
        standfirst: One to three sentences; may be empty.
        source: The publication's name; may be empty.
        minutes: Reading time of the whole story; None where unknown.
        image: Picture over https with its credit; None where there is none.
    """

    article_id: int
    section: str
    title: str
    label: str
    url: str | None
    standfirst: str
    source: str
    minutes: int | None
    image: Image | None


@dataclass(frozen=True, kw_only=True)
class SectionView:
    """A section that has stories besides the lead."""

    slug: str
    title: str
    thumbnails: bool
    stories: tuple[StoryView, ...]


@dataclass(frozen=True, kw_only=True)
class EditionView:
    """What a reader gets, before any layout.

    Attributes:
        edition: Number, date and the editor's words, cleaned.
        opening: The opening's paragraphs.
        lead: The first story; None in an empty edition.
        sections: In order, without empty ones.
        contents: Title and number of stories of each section, the lead counted in.
        sponsor: The paid block, if there is one.
    """

    edition: Edition
    opening: tuple[str, ...]
    lead: StoryView | None
    sections: tuple[SectionView, ...]
    contents: tuple[tuple[str, int], ...]
    sponsor: Sponsor | None

    @property
    def reading_minutes(self) -> int:
        """How long the letter itself takes."""
        texts = [*self.opening, self.edition.why]
        texts += [text for s in self.stories for text in (s.title, s.standfirst)]
        if self.sponsor:
            texts += [self.sponsor.title, self.sponsor.text]
        return reading_minutes(sum(len(text.split()) for text in texts))

    @property
    def stories(self) -> tuple[StoryView, ...]:
        """Every story, the lead first."""
        first = (self.lead,) if self.lead else ()
        return (*first, *(s for section in self.sections for s in section.stories))


def edition_view(
    edition: Edition,
    newsletter: Newsletter,
    stories: Sequence[Story],
    *,
    sections: Iterable[str] = (),
) -> EditionView:
    """Arrange an edition for reading.

    Args:
        edition: The edition.
        newsletter: Its newsletter.
        stories: Its stories in order; the first one leads.
        sections: Slugs a reader chose; none: all. The lead is for everybody.
    """
    wanted = set(sections) & {s.slug for s in newsletter.sections}
    lead, others = stories[:1], stories[1:]
    shown = [s for s in others if not wanted or s.section in wanted]
    sponsor = _clean_sponsor(edition.sponsor)
    opening = tuple(p.strip() for p in clean(edition.opening).split("\n") if p.strip())
    return EditionView(
        edition=_clean_words(edition),
        opening=opening,
        lead=_story(lead[0]) if lead else None,
        sections=tuple(_sections(newsletter, shown)),
        contents=tuple(_contents(newsletter, [*lead, *shown])),
        sponsor=sponsor,
    )


def clean(text: str) -> str:
    """Take slot markers and control characters out of text from outside."""
    return _CONTROLS.sub(" ", strip_markers(text)).strip()


def web_address(url: str | None) -> str | None:
    """Return an address a reader may follow; None for any other scheme or shape."""
    if url is None or any(c.isspace() for c in clean(url)) or clean(url) != url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"https", "http"} and parts.hostname else None


def _clean_words(edition: Edition) -> Edition:
    return replace(
        edition,
        subject=clean(edition.subject),
        preheader=clean(edition.preheader),
        opening=clean(edition.opening),
        opening_by=clean(edition.opening_by),
        why=clean(edition.why),
    )


def _sections(newsletter: Newsletter, stories: Sequence[Story]) -> list[SectionView]:
    made = []
    for section in newsletter.sections:
        inside = tuple(_story(s) for s in stories if s.section == section.slug)
        if inside:
            made.append(
                SectionView(
                    slug=section.slug,
                    title=clean(section.title),
                    thumbnails=section.thumbnails,
                    stories=inside,
                )
            )
    return made


def _contents(
    newsletter: Newsletter, stories: Sequence[Story]
) -> Iterator[tuple[str, int]]:
    counts = Counter(story.section for story in stories)
    for section in newsletter.sections:
        if counts[section.slug]:
            yield clean(section.title), counts[section.slug]


def _story(story: Story) -> StoryView:
    title = clean(story.title)
    return StoryView(
        article_id=story.article_id,
        section=story.section,
        title=title,
        label=shorten(title, _LONGEST_LABEL),
        url=web_address(story.url),
        standfirst=clean(story.standfirst),
        source=clean(story.source),
        minutes=reading_minutes(story.word_count)
        if story.word_count >= _LEAST_WORDS
        else None,
        image=_image(story.image),
    )


def _image(image: Image) -> Image | None:
    url = web_address(image.url)
    if url is None or not url.startswith("https:"):
        return None
    return Image(url=url, credit=clean(image.credit), alt=clean(image.alt))


def _clean_sponsor(sponsor: Sponsor | None) -> Sponsor | None:
    url = web_address(sponsor.url) if sponsor else None
    if sponsor is None or url is None:
        return None
    return Sponsor(
        name=clean(sponsor.name),
        title=clean(sponsor.title),
        text=clean(sponsor.text),
        url=url,
    )
