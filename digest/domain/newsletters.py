"""A newsletter as the stages see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from digest.domain.errors import NotFoundError
from digest.domain.letters import Sender
from digest.domain.own_links import OwnLinks


class WhenEmpty(StrEnum):
    """What a reader gets whose chosen sections have no story in an edition."""

    LEAD = "lead"  # the lead and the editor's words
    SKIP = "skip"  # no letter; the delivery is skipped, with its reason


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the letter.

    Attributes:
        id: Row id.
        slug: Stable name, used in commands and preferences: `news`.
        title: What readers see.
        position: Order in the letter, from 0.
        cap: The most stories an edition takes from it.
        thumbnails: Whether its stories show a small picture.
    """

    id: int
    slug: str
    title: str
    position: int
    cap: int
    thumbnails: bool = False


@dataclass(frozen=True, kw_only=True)
class Newsletter:
    """One title's recurring letter.

    Attributes:
        id: Row id.
        slug: Stable name, used in commands and addresses: `weekly`.
        name: What readers see.
        language: BCP 47 tag; one newsletter has one language.
        direction: `ltr` or `rtl`.
        time_zone: IANA name; issue dates are dates there.
        sender: From and Reply-To of its letters.
        postal_address: Stands in every footer (15 USC 7704(a)(5)).
        purpose: One sentence a reader agreed to, shown in footers and forms.
        list_id: The bare identifier of List-Id: `weekly.news.example` (RFC 2919).
        template: Name of the layout under `templates/email`.
        theme: Validated colours, fonts and wordmark; see `domain/theme.py`.
        sections: In order.
        when_empty: What readers get none of whose sections has a story.
        own_links: Which links carry tags for the publication's own statistics.
        desk: Who is asked and told about its issues; empty: who reads the answers.
    """

    id: int
    slug: str
    name: str
    language: str
    direction: str
    time_zone: str
    sender: Sender
    postal_address: str
    purpose: str
    list_id: str
    template: str
    theme: Mapping[str, object]
    sections: tuple[Section, ...]
    when_empty: WhenEmpty = WhenEmpty.LEAD
    own_links: OwnLinks = field(default_factory=OwnLinks)
    desk: tuple[str, ...] = ()

    @property
    def desk_addresses(self) -> tuple[str, ...]:
        """Who is asked and told about its issues, by mail."""
        return self.desk or (self.sender.reply_to,)

    def section(self, slug: str) -> Section | None:
        """Find one of its sections by name."""
        return next((s for s in self.sections if s.slug == slug), None)

    def require_section(self, slug: str) -> Section:
        """Find one of its sections by the name somebody gave.

        Raises:
            NotFoundError: It has no such section.
        """
        found = self.section(slug)
        if found is None:
            known = ", ".join(f"{s.slug} ({s.title})" for s in self.sections)
            raise NotFoundError(f"There is no section {slug!r}.", f"Known: {known}.")
        return found
