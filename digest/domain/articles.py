"""An article: a story as it came in, normalised and sanitised at the door."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from digest.domain.plaintext import fold

# Flags: what the desk should look at.
EXCERPT = "excerpt"  # the source gave the beginning only
NO_DATE = "no-date"  # the page does not say when it was published
CREDIT_SPLIT = "credit-split"  # a photo credit was cut off the first sentence
NO_SECTION = "no-section"  # no category of the story is mapped to a section

_MERGED = (
    "title",
    "url",
    "published_on",
    "author",
    "section",
    "standfirst",
    "paragraphs",
    "source",
    "language",
    "categories",
    "featured",
)


@dataclass(frozen=True, kw_only=True)
class Image:
    """A story's picture.

    Attributes:
        url: `https://…` or None where only a credit is known.
        credit: Who made it.
        alt: What it shows; empty where nobody has written it yet.
    """

    url: str | None = None
    credit: str = ""
    alt: str = ""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a reader made of its input, normalised, before it is stored.

    Attributes:
        title: The headline.
        url: Canonical address; None for pasted text without one.
        published_on: Date of publication as the page states it.
        author: Byline; may be empty.
        section: Section slug guessed or given; None: unmapped.
        standfirst: One or two sentences for the letter; may be empty.
        image: Picture, credit and alt text.
        paragraphs: Body text in order, plain text.
        source: The publication's name; may be empty.
        language: BCP 47 tag, or empty where unknown.
        categories: As the source gave them, unmapped.
        featured: The source marked it as a lead candidate.
        flags: What the desk should look at: `credit-split`, `no-date`, …
        embargo_until: The instant before which no reader may see it, as its source or
            a person states it; None: there is none.
    """

    title: str
    url: str | None = None
    published_on: date | None = None
    author: str = ""
    section: str | None = None
    standfirst: str = ""
    image: Image = Image()
    paragraphs: tuple[str, ...] = ()
    source: str = ""
    language: str = ""
    categories: tuple[str, ...] = ()
    featured: bool = False
    flags: tuple[str, ...] = ()
    embargo_until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Article(Draft):
    """A stored article.

    Attributes:
        id: Row id.
        newsletter_id: The newsletter whose pool it is in.
        word_count: Words in its paragraphs.
        embargo_by_hand: A person set or lifted its embargo; its source no longer does.
    """

    id: int
    newsletter_id: int
    word_count: int
    embargo_by_hand: bool = False

    def is_embargoed(self, at: datetime) -> bool:
        """Tell whether no reader may see it yet at an instant."""
        return self.embargo_until is not None and at < self.embargo_until


class Outcome(StrEnum):
    """What storing a draft did."""

    IMPORTED = "imported"  # a story not seen before
    UPDATED = "updated"  # a known story that its source has edited
    UNCHANGED = "unchanged"  # a known story, the same as before


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A draft after it was stored.

    Attributes:
        outcome: What happened.
        article: The story as it is now.
    """

    outcome: Outcome
    article: Article


# Shorter bodies under two addresses are not taken for one story: a weather line or
# a live blog's first sentence repeats.
_TELLING_WORDS = 40


def count_words(paragraphs: Iterable[str]) -> int:
    """Count the words of a body."""
    return sum(len(paragraph.split()) for paragraph in paragraphs)


def hash_text(draft: Draft) -> str:
    """Return the digest under which two copies of a text are one story.

    Case, punctuation and white space do not count. A draft with an address and a
    short body mixes its address in, so that only long texts match across addresses.

    Returns:
        64 hexadecimal digits: SHA-256 of the folded title and body.
    """
    parts = [draft.title, *(draft.paragraphs or (draft.standfirst,))]
    if draft.url and count_words(draft.paragraphs) < _TELLING_WORDS:
        parts.append(draft.url)
    return hashlib.sha256(fold(" ".join(parts)).encode("utf-8")).hexdigest()


def merge(known: Draft, found: Draft) -> Draft:
    """Return a known story as a later reading of it leaves it.

    What the later reading does not know is kept. An excerpt (flag `excerpt`) never
    replaces a story that was read in full; it only fills what was blank. The embargo
    is left as the known story has it: see `read_embargo`.
    """
    embargo = known.embargo_until
    if EXCERPT in found.flags and EXCERPT not in known.flags:
        known, found = found, known
    image = Image(
        url=found.image.url or known.image.url,
        credit=found.image.credit or known.image.credit,
        alt=found.image.alt or known.image.alt,
    )
    kept = {name: getattr(found, name) or getattr(known, name) for name in _MERGED}
    is_mapped = bool(kept["section"])
    flags = tuple(f for f in found.flags if not (f == NO_SECTION and is_mapped))
    return Draft(image=image, flags=flags, embargo_until=embargo, **kept)


def read_embargo(
    stated: datetime | None, known: Article | None, *, now: datetime
) -> datetime | None:
    """Return a story's embargo after its source was read.

    Args:
        stated: When the source says it is published; None: it does not say.
        known: The story as it is stored; None: it is new.
        now: The present. A source that carries a story dated later than this means:
            not before then.
    """
    before = known.embargo_until if known else None
    if stated is None or (known is not None and known.embargo_by_hand):
        return before
    # A source may bring a story forward, too; one long out leaves no trace.
    return stated if stated > now or before is not None else None
