"""An edition that preflight finds nothing in, and what preflight is told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from digest.compose.finding import Finding
from digest.compose.posting import Known, Posting, Signature
from digest.compose.preflight import Loaded, Preflight, inspect
from digest.domain.editions import Edition, Story
from digest.domain.letters import Sender
from digest.domain.newsletters import Newsletter
from digest.domain.site import Site
from digest.mail.dkim import Signer, generate_key
from digest.send.specimen import Specimens
from digest.templating import Letter, Templates
from tests.builders import NOW, SECRETS
from tests.weeks import english_week

DOMAIN = "news.paper.eg"
SITE = Site(base_url=f"https://{DOMAIN}", mail_domain=DOMAIN)
SENDER = Sender(name="The Week", address=f"weekly@{DOMAIN}", reply_to="desk@paper.eg")
SIGNER = Signer(DOMAIN, "digest", generate_key())
Spoil = Callable[[Any], Any]


def as_it_is(value: Any) -> Any:
    """Change nothing."""
    return value


SPECIMENS = Specimens(site=SITE, secrets=SECRETS, find_signer=lambda: SIGNER, now=NOW)
POSTING = Posting(
    write=SPECIMENS.write,
    now=NOW,
    signature=Signature.OURS,
    find_fault=SPECIMENS.find_fault,
    signing_domain=DOMAIN,
    least_stories={"*": 3},
)


class Layout(Templates):
    """The shipped layout, and then a fault in what it wrote."""

    def __init__(self, spoil: Callable[[Letter], Letter]) -> None:
        super().__init__()
        self._spoil = spoil

    def issue(self, *arguments: Any, **more: Any) -> Letter:
        return self._spoil(super().issue(*arguments, **more))


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything that preflight looks at; a test spoils one thing.

    Attributes:
        letter: What happens to each rendering.
        message: What happens to each built message.
    """

    edition: Edition
    newsletter: Newsletter
    stories: Sequence[Any]
    site: Site = SITE
    posting: Posting = POSTING
    known: Known = field(default_factory=Known)
    letter: Spoil = as_it_is
    message: Spoil = as_it_is

    def having(self, **changes: Any) -> "Case":
        """Return it with some of its parts replaced."""
        return replace(self, **changes)

    def edited(self, **changes: Any) -> "Case":
        """Return it with other words in the edition."""
        return replace(self, edition=replace(self.edition, **changes))

    def told(self, **changes: Any) -> "Case":
        """Return it with another second story."""
        lead, second, *others = self.stories
        return replace(self, stories=[lead, replace(second, **changes), *others])

    def published(self, **changes: Any) -> "Case":
        """Return it in another newsletter."""
        return replace(self, newsletter=replace(self.newsletter, **changes))

    def rendered(self, old: str, new: str, *, times: int = -1) -> "Case":
        """Return it with other text in its HTML part."""

        def spoil(letter: Letter) -> Letter:
            assert old in letter.html, f"the layout has no {old!r}"
            return replace(letter, html=letter.html.replace(old, new, times))

        return replace(self, letter=spoil)

    def built(self, old: str, new: str) -> "Case":
        """Return it with other octets in its messages."""

        def spoil(octets: bytes) -> bytes:
            assert old.encode() in octets, f"the message has no {old!r}"
            return octets.replace(old.encode(), new.encode(), 1)

        return replace(self, message=spoil)

    def check(self) -> Preflight:
        """Run preflight on it."""

        def write_spoilt(*arguments: Any) -> list[bytes]:
            return [self.message(m) for m in self.posting.write(*arguments)]

        loaded = Loaded(
            edition=self.edition,
            newsletter=self.newsletter,
            stories=self.stories,
            known=self.known,
        )
        return inspect(
            loaded,
            templates=Layout(self.letter),
            site=self.site,
            posting=replace(self.posting, write=write_spoilt),
        )


Week = tuple[Edition, Newsletter, Sequence[Story]]


def clean_case(week: Callable[[], Week] = english_week) -> Case:
    """A reference week at names that somebody could have."""
    edition, newsletter, stories = week()
    return Case(
        edition=_real(edition),
        newsletter=replace(newsletter, sender=SENDER),
        stories=_real(list(stories)),
    )


def names(findings: Sequence[Finding]) -> list[str]:
    """Return the rules of findings."""
    return [f.rule for f in findings]


def _real(value: Any) -> Any:
    """Put a real name in the place of `example.test`, throughout a record."""
    if isinstance(value, str) and type(value) is str:
        return value.replace("example.test", "paper.eg")
    if isinstance(value, (list, tuple)):
        return type(value)(_real(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: _real(getattr(value, f.name)) for f in fields(value)}
        return replace(value, **changed)
    return value
