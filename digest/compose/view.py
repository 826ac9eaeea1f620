"""An edition as its readers see it: one plain structure for letter, archive and feeds.

Everything from outside passes through here: slot markers and control characters are
taken out, and only addresses that are safe to follow remain.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from digest.compose.blocks import PickView, SponsorView, SupportView
from digest.compose.picture_view import PictureView, show_picture
from digest.compose.prose import Prose, Reader, unchanged
from digest.domain.bidi import contained
from digest.domain.editions import Edition, Pick, Sponsor, Story, Support
from digest.domain.issue import reading_minutes
from digest.domain.newsletters import Newsletter
from digest.domain.recipe import shorten
from digest.domain.slots import strip_markers

# Halves of a surrogate pair, from a mistyped command line, cannot be encoded at all.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
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
        image: Our copy of its picture; None where there is none.
        caption: Words under the picture; may be empty.
    """

    article_id: int
    section: str
    title: str
    label: str
    url: str | None
    standfirst: str
    source: str
    minutes: int | None
    image: PictureView | None
    caption: str


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
        edition: Number, date and the editor's words, cleaned, as they were written.
        opening: The words at the top.
        why: "Why it matters", one line.
        lead: The first story; None in an empty edition.
        sections: In order, without empty ones.
        contents: Title and number of stories of each section, the lead counted in.
        sponsor: The paid block, if there is one.
        picks: "Read, watch, go".
        support: The publication's own request, if there is one.
        is_bare: A reader chose sections, and none of them has a story.
    """

    edition: Edition
    opening: Prose
    why: Prose
    lead: StoryView | None
    sections: tuple[SectionView, ...]
    contents: tuple[tuple[str, int], ...]
    sponsor: SponsorView | None
    picks: tuple[PickView, ...]
    support: SupportView | None
    is_bare: bool

    @property
    def prose(self) -> tuple[Prose, ...]:
        """All of the editor's Markdown, as it was read."""
        blocks = [block.text for block in (self.sponsor, self.support) if block]
        return (self.opening, self.why, *blocks, *(pick.words for pick in self.picks))

    @property
    def reading_minutes(self) -> int:
        """How long the letter itself takes."""
        texts = [text for s in self.stories for text in (s.title, s.standfirst)]
        words = [self.opening, self.why, self.sponsor, self.support, *self.picks]
        told = sum(len(text.split()) for text in texts)
        return reading_minutes(told + sum(w.word_count for w in words if w))

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
    tag: Callable[[str], str] = unchanged,
) -> EditionView:
    """Arrange an edition for reading.

    Args:
        edition: The edition.
        newsletter: Its newsletter.
        stories: Its stories in order; the first one leads.
        sections: Slugs a reader chose; none: all. The lead is for everybody.
        tag: Changes the address of what a reader may follow.
    """
    choice = choose_shown(newsletter, stories, sections)
    lead, shown = choice.stories[:1], choice.stories[1:]
    words = Reader(newsletter.direction, tag=tag)
    return EditionView(
        edition=_clean_words(edition),
        # In the order in which plain text numbers their links.
        opening=words.paragraphs(clean(edition.opening)),
        why=words.line(clean(edition.why)),
        sponsor=_sponsor(edition.sponsor, words, tag),
        picks=tuple(_pick(pick, words, tag) for pick in edition.picks),
        support=_support(edition.support, words, tag),
        lead=_story(lead[0], tag) if lead else None,
        sections=tuple(_sections(newsletter, shown, tag)),
        contents=tuple(_contents(newsletter, choice.stories)),
        is_bare=choice.is_bare,
    )


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The stories that a choice of sections shows; equal ones make equal letters.

    Attributes:
        stories: In order, the lead first.
        is_bare: Sections were chosen, and none of them has a story.
    """

    stories: tuple[Story, ...]
    is_bare: bool


def choose_shown(
    newsletter: Newsletter, stories: Sequence[Story], sections: Iterable[str]
) -> Choice:
    """Pick what a reader of some sections gets: the lead, and theirs of the others.

    Sections that the newsletter no longer has do not count; where no other was
    chosen, the reader gets everything.
    """
    wanted = set(sections) & {s.slug for s in newsletter.sections}
    if not wanted:
        return Choice(stories=tuple(stories), is_bare=False)
    chosen = [s for s in stories if s.section in wanted]
    rest = [s for s in stories[1:] if s.section in wanted]
    return Choice(stories=(*stories[:1], *rest), is_bare=not chosen)


def clean(text: str) -> str:
    """Take slot markers and control characters out of text from outside.

    What turns its direction ends with it.
    """
    return contained(_CONTROLS.sub(" ", strip_markers(text))).strip()


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


def _sections(
    newsletter: Newsletter, stories: Sequence[Story], tag: Callable[[str], str]
) -> list[SectionView]:
    made = []
    for section in newsletter.sections:
        inside = tuple(_story(s, tag) for s in stories if s.section == section.slug)
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


def _story(story: Story, tag: Callable[[str], str]) -> StoryView:
    title = clean(story.title)
    return StoryView(
        article_id=story.article_id,
        section=story.section,
        title=title,
        label=shorten(title, _LONGEST_LABEL),
        url=_tagged(story.url, tag),
        standfirst=clean(story.standfirst),
        source=clean(story.source),
        minutes=reading_minutes(story.word_count)
        if story.word_count >= _LEAST_WORDS
        else None,
        image=_picture(story),
        caption=clean(story.caption),
    )


def _picture(story: Story) -> PictureView | None:
    files, words = story.picture, story.image
    if files is None:
        return None
    return show_picture(
        files.small, files.large, credit=clean(words.credit), alt=clean(words.alt)
    )


def _sponsor(
    sponsor: Sponsor | None, words: Reader, tag: Callable[[str], str]
) -> SponsorView | None:
    url = _tagged(sponsor.url, tag) if sponsor else None
    if sponsor is None or url is None:
        return None
    return SponsorView(
        name=clean(sponsor.name),
        title=clean(sponsor.title),
        text=words.paragraphs(clean(sponsor.text)),
        url=url,
    )


def _support(
    support: Support | None, words: Reader, tag: Callable[[str], str]
) -> SupportView | None:
    url = _tagged(support.url, tag) if support else None
    if support is None or url is None:
        return None
    return SupportView(
        title=clean(support.title),
        text=words.paragraphs(clean(support.text)),
        label=clean(support.label),
        url=url,
    )


def _pick(pick: Pick, words: Reader, tag: Callable[[str], str]) -> PickView:
    return PickView(
        kind=pick.kind,
        title=clean(pick.title),
        words=words.line(clean(pick.words)),
        url=_tagged(pick.url, tag),
    )


def _tagged(url: str | None, tag: Callable[[str], str]) -> str | None:
    address = web_address(url)
    return tag(address) if address else None
