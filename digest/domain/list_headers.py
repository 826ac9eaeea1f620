"""The header fields that tell mail programs a letter belongs to a list."""

from collections.abc import Mapping
from typing import Protocol

from digest.domain.site import Site


class Listed(Protocol):
    """What is a list: a newsletter, or what was fixed of it at a release."""

    @property
    def slug(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def list_id(self) -> str: ...


def list_headers(newsletter: Listed, site: Site, token: str) -> Mapping[str, str]:
    """Return the list fields of one letter to one reader.

    Args:
        newsletter: Whose letter it is.
        site: Where the links lead.
        token: The reader's unsubscribe token.

    Returns:
        Field name to value, in the order they are written, unfolded.
    """
    https, mailto = site.unsubscribe_url(token), site.unsubscribe_mailto(token)
    phrase = newsletter.name.replace("\\", "").replace('"', "")
    return {
        # RFC 2919 §3: phrase, then the identifier in angle brackets
        "List-Id": f'"{phrase}" <{newsletter.list_id}>',
        # RFC 8058 §3.1: one https URI; RFC 2369 §3.2 allows the mailto beside it
        "List-Unsubscribe": f"<{https}>, <{mailto}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Archive": f"<{site.page('/archive', newsletter.slug)}>",
        "List-Help": f"<{site.page('/help', newsletter.slug)}>",
        "List-Post": "NO",  # RFC 2369 §3.4
        "Precedence": "list",
    }
