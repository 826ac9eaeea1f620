"""Put a story under embargo, or lift it: a person's word, which rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.domain.actor import Actor
from digest.domain.articles import Article
from digest.storage import articles, audit, embargoes
from digest.storage.embargoes import Carrier
from digest.storage.engine import Database, Tx


@dataclass(frozen=True, kw_only=True)
class Embargoed:
    """What an embargo concerns.

    Attributes:
        article: The story as it is now.
        copies: Its copies in other newsletters' pools, for which it holds, too.
        carriers: The editions that carry one of them.
    """

    article: Article
    copies: Sequence[int]
    carriers: Sequence[Carrier]


def set_embargo(
    db: Database,
    *,
    article_id: int,
    until: datetime | None,
    actor: Actor,
    now: datetime,
) -> Embargoed:
    """Say from when on readers may see a story.

    Args:
        db: The database.
        article_id: The story.
        until: The instant; None: at once, whatever its source says.
        actor: Who says so.
        now: When.

    Raises:
        NotFoundError: There is no such article.
    """
    with db.write() as tx:
        return put_embargo(tx, articles.get(tx, article_id), until, actor, now)


def put_embargo(
    tx: Tx, article: Article, until: datetime | None, actor: Actor, now: datetime
) -> Embargoed:
    """Do so in a transaction that does more."""
    copies = embargoes.put(tx, article, until)
    for changed in (article.id, *copies):
        audit.record(
            tx,
            actor=actor,
            action="article.embargoed" if until else "article.embargo_lifted",
            subject=("article", changed),
            now=now,
            detail={"until": until.isoformat()} if until else None,
        )
    return Embargoed(
        article=articles.get(tx, article.id),
        copies=copies,
        carriers=embargoes.carriers(tx, [article.id, *copies]),
    )
