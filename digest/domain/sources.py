"""A source: where a newsletter's stories are collected from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True)
class Source:
    """A feed or a WordPress site.

    Attributes:
        id: Row id.
        newsletter_id: Whose pool its stories go into.
        url: Where it is fetched from.
        kind: `feed` or `wordpress`.
        title: What it calls itself; may be empty.
        every: How often it is collected.
        category_map: Category as the source spells it → section slug.
        etag: Of the copy last read (RFC 9110 §8.8.3).
        last_modified: Likewise (RFC 9110 §8.8.2).
        collected_at: When it was last read without an error.
        last_error: Why the last try failed; None where it did not.
    """

    id: int
    newsletter_id: int
    url: str
    kind: str
    title: str
    every: timedelta
    category_map: Mapping[str, str]
    etag: str | None = None
    last_modified: str | None = None
    collected_at: datetime | None = None
    last_error: str | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether it is time to collect it again."""
        return self.collected_at is None or self.collected_at + self.every <= now
