"""The editor's blocks as readers see them: the paid one, support, "Read, watch, go"."""

from dataclasses import dataclass

from digest.compose.prose import Prose
from digest.domain.editions import PickKind


@dataclass(frozen=True, kw_only=True)
class SponsorView:
    """The paid block.

    Attributes:
        name: Who paid.
        title: Its headline, which is also its link.
        text: Its words.
        url: `https://…` or `http://…`.
    """

    name: str
    title: str
    text: Prose
    url: str

    @property
    def word_count(self) -> int:
        """How many words there are to read."""
        return len(self.title.split()) + self.text.word_count


@dataclass(frozen=True, kw_only=True)
class SupportView:
    """The publication's own request.

    Attributes:
        title: Its headline.
        text: Its words.
        label: What its link says.
        url: `https://…` or `http://…`.
    """

    title: str
    text: Prose
    label: str
    url: str

    @property
    def word_count(self) -> int:
        """How many words there are to read."""
        return len(self.title.split()) + self.text.word_count


@dataclass(frozen=True, kw_only=True)
class PickView:
    """One recommendation.

    Attributes:
        kind: What a reader does with it; layouts have a word for each.
        title: Its name.
        words: Why; one line.
        url: `https://…` or `http://…`; None where there is nothing to follow.
    """

    kind: PickKind
    title: str
    words: Prose
    url: str | None

    @property
    def word_count(self) -> int:
        """How many words there are to read."""
        return len(self.title.split()) + self.words.word_count
