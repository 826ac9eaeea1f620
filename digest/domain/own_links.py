"""Links to the publication's own site, tagged so that its statistics see the letter.

The tags are the same for every reader: they tell which letter brought somebody, never
whom.
"""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from digest.domain.errors import RefusedError
from digest.domain.hosts import parse_domain


@dataclass(frozen=True, kw_only=True)
class OwnLinks:
    """Which links are tagged, and with what.

    Attributes:
        hosts: Domains of the publication, with everything below them; empty: none.
        source: `utm_source`; empty: the newsletter's short name.
        medium: `utm_medium`; empty: not said.
        campaign: `utm_campaign`; empty: the short name and the issue date.
    """

    hosts: tuple[str, ...] = ()
    source: str = ""
    medium: str = "email"
    campaign: str = ""

    def is_own(self, url: str) -> bool:
        """Whether an address is on the publication's site."""
        if not self.hosts:
            return False
        try:
            host = parse_domain(urlsplit(url).hostname or "")
        except (RefusedError, ValueError):
            return False
        return any(host == own or host.endswith(f".{own}") for own in self.hosts)

    def tag(self, url: str, *, newsletter: str, issue_date: str) -> str:
        """Add the tags to a link of the own site; others are returned as they are.

        What the address has is kept as it is spelt: its query, its fragment, and
        tags that somebody set by hand.
        """
        if not self.is_own(url):
            return url
        parts = urlsplit(url)
        known = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        tags = {
            "utm_source": self.source or newsletter,
            "utm_medium": self.medium,
            "utm_campaign": self.campaign or f"{newsletter}-{issue_date}",
        }
        added = urlencode(
            {name: value for name, value in tags.items() if value and name not in known}
        )
        query = "&".join(part for part in (parts.query, added) if part)
        return urlunsplit(parts._replace(query=query))
