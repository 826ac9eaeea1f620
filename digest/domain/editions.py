"""An edition: one issue of a newsletter, and the stories it carries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from digest.domain.articles import Image
from digest.domain.pictures import Picture
from digest.domain.states import EditionKind, EditionState

CHANGEABLE = frozenset(
    {EditionState.DRAFT, EditionState.APPROVED, EditionState.SCHEDULED}
)
"""The states in which an edition may still be edited."""


@dataclass(frozen=True, kw_only=True)
class Sponsor:
    """A paid block; readers are told who paid.

    Attributes:
        name: Who paid: "Paid for by …".
        title: Its headline, which is also its link.
        text: One short paragraph; limited Markdown.
        url: `https://…`
    """

    name: str
    title: str
    text: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Support:
    """The publication's own request: become a member, give, buy.

    Attributes:
        title: Its headline.
        text: One or two short paragraphs; limited Markdown.
        label: What its link says: "Become a member".
        url: `https://…`
    """

    title: str
    text: str
    label: str
    url: str


class PickKind(StrEnum):
    """What a reader does with a pick."""

    READ = "read"  # a book, a poem, somebody else's article
    WATCH = "watch"  # a film, a series
    LISTEN = "listen"  # music, a podcast
    GO = "go"  # an exhibition, a concert, a walk


@dataclass(frozen=True, kw_only=True)
class Pick:
    """Something the editor recommends that is no article.

    Attributes:
        kind: What a reader does with it.
        title: Its name.
        words: Why, in a sentence or two; limited Markdown.
        url: `https://…`; empty: there is nothing to follow.
    """

    kind: PickKind
    title: str
    words: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Story:
    """An article as one edition carries it.

    Editing the article later changes nothing that was approved.

    Attributes:
        id: Row id; 0 before it is stored.
        edition_id: Its edition; 0 before it is stored.
        article_id: The article it was made from.
        section: Slug of the section it stands in.
        position: Place in the edition, from 1; 1 is the lead.
        title: Headline.
        url: Where the whole story is; None where only text was pasted.
        standfirst: One to three sentences.
        image: Where its picture is from, credit and alt text.
        picture: Our own files of it; None until it was fetched.
        caption: Words under the picture, where the story leads; may be empty.
        source: The publication's name; may be empty.
        word_count: Words of the whole story, for "3 min read".
        published_on: Local date of publication.
    """

    id: int = 0
    edition_id: int = 0
    article_id: int
    section: str
    position: int
    title: str
    url: str | None = None
    standfirst: str = ""
    image: Image = field(default_factory=Image)
    picture: Picture | None = None
    caption: str = ""
    source: str = ""
    word_count: int = 0
    published_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class Edition:
    """One issue of a newsletter.

    Attributes:
        id: Row id; 0 before it is stored.
        newsletter_id: Whose issue it is.
        kind: Weekly or a correction.
        corrects: The edition that a correction is about; None: it is none.
        issue_date: The local date it belongs to; a correction's is that of the
            edition it corrects, and so is its number.
        revision: 1, and one more for each cancelled attempt at the same date; of
            corrections, one more for each.
        number: "No. 19"; counts up for each newsletter.
        state: Where it is on its way.
        subject: Subject line.
        preheader: The line that mail programs show after the subject.
        opening: The editor's words at the top, limited Markdown; may be empty.
        opening_by: Who signs them; may be empty.
        why: "Why it matters": one sentence with the lead, limited Markdown; may be
            empty.
        sponsor: The paid block, if there is one.
        support: The publication's own request, if there is one.
        picks: "Read, watch, go", in order.
        content_hash: Names exactly this content (64 hexadecimal digits).
        approved_hash: The content somebody approved; None: not approved.
        approved_by: Who approved it.
        approved_because: Why its warnings were accepted.
        approved_at: When.
        scheduled_at: When it goes to the post; for scheduled editions.
        held_at: When somebody said that it shall not go; None: nobody did.
        held_by: Who.
        held_because: Why.
        pause_reason: Why the post was stopped; for paused editions.
        frozen: What every letter of it shares, fixed at release.
        released_at: When it went to the post.
        finished_at: When its last delivery was settled, or it was cancelled.
        created_at: When it was composed.
        updated_at: Its last change.
    """

    id: int = 0
    newsletter_id: int
    kind: EditionKind = EditionKind.WEEKLY
    corrects: int | None = None
    issue_date: date
    revision: int = 1
    number: int
    state: EditionState = EditionState.DRAFT
    subject: str
    preheader: str = ""
    opening: str = ""
    opening_by: str = ""
    why: str = ""
    sponsor: Sponsor | None = None
    support: Support | None = None
    picks: tuple[Pick, ...] = ()
    content_hash: str = ""
    approved_hash: str | None = None
    approved_by: str | None = None
    approved_because: str | None = None
    approved_at: datetime | None = None
    scheduled_at: datetime | None = None
    held_at: datetime | None = None
    held_by: str | None = None
    held_because: str | None = None
    pause_reason: str | None = None
    frozen: Mapping[str, Any] | None = None
    released_at: datetime | None = None
    finished_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One rendering of an edition: sections by format, personal values as slots.

    Attributes:
        id: Row id; 0 before it is stored.
        edition_id: Its edition.
        sections: Slugs, sorted, comma separated; empty: all.
        format: `html` (both parts) or `text`.
        subject: Subject line.
        html: The HTML part; None for `text`.
        text: The plain-text part.
        is_bare: None of its sections has a story in this edition.
    """

    id: int = 0
    edition_id: int
    sections: str
    format: str
    subject: str
    html: str | None
    text: str
    is_bare: bool = False
