"""How often something may be asked for in a stretch of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS = 12


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """At most so many in any stretch of a length.

    What is taken is counted in parts of a twelfth of that length, and a part counts
    until its last moment is past: never more than the allowance, and at most a
    twelfth longer than the stretch until there is room again.

    Attributes:
        key: Whose it is; up to 64 characters.
        most: How many.
        within: The length.
    """

    key: str
    most: int
    within: timedelta

    def part_of(self, now: datetime) -> tuple[datetime, datetime]:
        """Return when the part that now is in began, and until when it counts."""
        length = self.within / _PARTS
        start = _EPOCH + (now - _EPOCH) // length * length
        return start, start + length + self.within


@dataclass(frozen=True, kw_only=True)
class SignUpRules:
    """What sign-ups are held to (attack A6).

    Attributes:
        per_network: Sign-ups an hour from one network. Readers behind a carrier's
            shared address must get through.
        per_mailbox: Confirmation letters a day to one inbox, whatever it is called:
            a+1@, a+2@, a.b@.
        altogether: Confirmation letters an hour to everybody; half of them at most are
            asked for by mail, which tells no network, so that it closes no page.
        disposable_domains: Patterns of domains whose addresses are thrown away, `*`
            for any characters; an operator is told, nobody is refused.
    """

    per_network: int = 30
    per_mailbox: int = 3
    altogether: int = 3000
    disposable_domains: Sequence[str] = ()

    def is_disposable(self, domain: str) -> bool:
        """Tell whether addresses of a domain are most likely thrown away soon."""
        return any(fnmatchcase(domain, each) for each in self.disposable_domains)

    def of_network(self, key: str) -> Allowance:
        """Return what one network may ask for."""
        return Allowance(key=key, most=self.per_network, within=timedelta(hours=1))

    def of_mailbox(self, key: str) -> Allowance:
        """Return what one inbox is sent."""
        return Allowance(key=key, most=self.per_mailbox, within=timedelta(hours=24))

    def of_everybody(self) -> Allowance:
        """Return what all are sent."""
        return Allowance(key="letters", most=self.altogether, within=timedelta(hours=1))

    def of_mail(self) -> Allowance:
        """Return what may be asked for by mail."""
        most = -(-self.altogether // 2)
        return Allowance(key="letters-by-mail", most=most, within=timedelta(hours=1))
