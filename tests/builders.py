"""Builders with defaults: a test states only what matters to it."""

from datetime import UTC, datetime
from typing import Any

from digest.domain.letters import Sender
from digest.domain.newsletters import Newsletter, Section
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.domain.tokens import TokenKeys
from digest.storage import newsletters
from digest.storage.engine import Database

NOW = datetime(2024, 5, 12, 12, 0, tzinfo=UTC)
SITE = Site(base_url="https://news.example.test", mail_domain="news.example.test")
SECRETS = Secrets(
    tokens=TokenKeys(current=1, keys={1: b"1" * 32}), address_key=b"a" * 32
)


def make_newsletter(**changes: Any) -> Newsletter:
    """A weekly with three sections, not stored."""
    sections = tuple(
        Section(id=0, slug=slug, title=title, position=i, cap=cap, thumbnails=i > 0)
        for i, (slug, title, cap) in enumerate(
            [
                ("news", "News & Politics", 5),
                ("features", "Features", 3),
                ("arts", "Arts & Culture", 3),
            ]
        )
    )
    values: dict[str, Any] = {
        "id": 0,
        "slug": "weekly",
        "name": "The Week",
        "language": "en",
        "direction": "ltr",
        "time_zone": "Africa/Cairo",
        "sender": Sender(
            name="The Week",
            address="weekly@news.example.test",
            reply_to="editor@news.example.test",
        ),
        "postal_address": "1 Press Street, Cairo, Egypt",
        "purpose": "One letter a week with the stories of the last seven days.",
        "list_id": "weekly.news.example.test",
        "template": "classic",
        "theme": {},
        "sections": sections,
    }
    return Newsletter(**(values | changes))


def add_newsletter(db: Database, **changes: Any) -> Newsletter:
    """A stored weekly."""
    with db.write() as tx:
        return newsletters.add(tx, make_newsletter(**changes), now=NOW)
