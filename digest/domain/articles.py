"""An article: a story as it came in, normalised and sanitised at the door."""

from dataclasses import dataclass
from datetime import date


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


@dataclass(frozen=True, kw_only=True)
class Article(Draft):
    """A stored article.

    Attributes:
        id: Row id.
        newsletter_id: The newsletter whose pool it is in.
        word_count: Words in its paragraphs.
    """

    id: int
    newsletter_id: int
    word_count: int
