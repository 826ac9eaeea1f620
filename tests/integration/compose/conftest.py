"""A desk: the stages of composing, bound to one database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from digest.compose.approve import Approved, approve
from digest.compose.draft import Composed, compose
from digest.compose.edit import Changes, edit
from digest.compose.freeze import freeze
from digest.compose.posting import Signature
from digest.domain.editions import Variant
from digest.storage import editions, tables
from digest.storage.engine import Database
from digest.templating import Templates
from tests.builders import NOW, SITE
from tests.preflight import POSTING
from tests.weeks import EDITOR

RELAYED = replace(POSTING, signature=Signature.RELAY, least_stories={})


@dataclass(frozen=True)
class Desk:
    """What an editor can do."""

    db: Database
    templates: Templates

    def compose(
        self, *, issue_date: date | None = None, articles: Sequence[int] = ()
    ) -> Composed:
        return compose(
            self.db,
            newsletter="weekly",
            issue_date=issue_date,
            articles=articles,
            templates=self.templates,
            site=SITE,
            actor=EDITOR,
            now=NOW,
        )

    def edit(self, edition_id: int, **changes: Any) -> Composed:
        return edit(
            self.db,
            edition_id=edition_id,
            changes=Changes(**changes),
            templates=self.templates,
            site=SITE,
            actor=EDITOR,
            now=NOW,
        )

    def approve(self, edition_id: int, because: str = "") -> Approved:
        return approve(
            self.db,
            edition_id=edition_id,
            because=because,
            templates=self.templates,
            site=SITE,
            posting=RELAYED,
            actor=EDITOR,
            now=NOW,
        )

    def freeze(self, edition_id: int) -> list[Variant]:
        return freeze(
            self.db,
            edition_id=edition_id,
            templates=self.templates,
            site=SITE,
            now=NOW,
        )

    def carried(self, edition_id: int) -> list[int]:
        """Article ids in order."""
        with self.db.read() as tx:
            return [s.article_id for s in editions.stories(tx, edition_id)]

    def audited(self) -> list[str]:
        with self.db.read() as tx:
            query = select(tables.audit.c.action).order_by(tables.audit.c.id)
            return list(tx.execute(query).scalars())


@pytest.fixture
def desk(sqlite_db: Database) -> Desk:
    return Desk(sqlite_db, Templates())
