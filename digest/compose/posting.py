"""What preflight is told about an installation: how it posts, and what it asks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from digest.domain.editions import Edition, Story, Variant
from digest.domain.newsletters import Newsletter
from digest.storage.embargoes import Embargo

Write = Callable[[Edition, Newsletter, Sequence[Variant]], Sequence[bytes]]
"""Writes one letter of each variant as a worker would, to a reader nobody is."""

ANY_NEWSLETTER = "*"


class Signature(Enum):
    """Who signs the letters."""

    NOBODY = "nobody"  # there is no key yet
    RELAY = "relay"  # the relay, after us
    OURS = "ours"  # we, so that preflight can verify it


@dataclass(frozen=True, kw_only=True)
class Posting:
    """How letters would be posted.

    Attributes:
        write: Writes them.
        now: When it is asked.
        signature: Who signs them.
        find_fault: Says what is wrong with a letter's signature; None: nothing.
        signing_domain: d= of our signatures.
        least_stories: Newsletter's name, or `*`, to the fewest stories it goes with.
        refuses_few: Whether fewer are an error, not a warning.
    """

    write: Write
    now: datetime
    signature: Signature
    find_fault: Callable[[bytes], str | None] = lambda _: None
    signing_domain: str = ""
    least_stories: Mapping[str, int] = field(default_factory=dict)
    refuses_few: bool = False

    def least_for(self, newsletter: Newsletter) -> int:
        """Return the fewest stories that an issue of a newsletter should have."""
        some = self.least_stories.get(ANY_NEWSLETTER, 1)
        return self.least_stories.get(newsletter.slug, some)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the database knows around an edition.

    Attributes:
        earlier: Stories of the issues before, with the issue's number.
        choices: Sections that readers chose, comma separated; empty: all.
        is_reader: Says whether an address is a reader's.
        embargoes: Of its stories, ended or not.
        goes_at: When it is to be released; None: when somebody says so.
        still_sending: Of a correction: letters under way of what it corrects.
    """

    earlier: Sequence[tuple[int, Story]] = ()
    choices: Sequence[str] = ()
    is_reader: Callable[[str], bool] = lambda _: False
    embargoes: Sequence[Embargo] = ()
    goes_at: datetime | None = None
    still_sending: int = 0
