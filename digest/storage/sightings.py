"""What stories were called when their edition was composed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from digest.storage import tables
from digest.storage.engine import Tx
from digest.storage.insertion import insert_once


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """What a story was called.

    Attributes:
        title: By its source: the article's title.
        headline: By the page at its own address; empty where nobody could look.
    """

    title: str
    headline: str


def load(tx: Tx, edition_id: int) -> dict[int, Sighting]:
    """Load what an edition's stories were called, by article id."""
    c = tables.sightings.c
    query = select(c.article_id, c.title, c.headline).where(c.edition_id == edition_id)
    return {
        row.article_id: Sighting(title=row.title, headline=row.headline)
        for row in tx.execute(query)
    }


def put(
    tx: Tx, edition_id: int, seen: Mapping[int, Sighting], *, now: datetime
) -> None:
    """Store what stories are called that were not seen so far."""
    for article_id, sighting in seen.items():
        insert_once(
            tx,
            tables.sightings,
            {
                "edition_id": edition_id,
                "article_id": article_id,
                "title": sighting.title,
                "headline": sighting.headline,
                "at": now,
            },
        )
