"""Look at an edition before deciding about it: its words, its problems, its name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.compose.content import content_hash
from digest.compose.finding import Finding
from digest.compose.hour import days_carried, goes_at
from digest.compose.posting import Posting
from digest.compose.preflight import Preflight, inspect, load
from digest.domain.articles import Article
from digest.domain.editions import CHANGEABLE, Edition, Story
from digest.domain.newsletters import Newsletter
from digest.domain.site import Site
from digest.storage import articles as pool, editions, newsletters
from digest.storage.engine import Database, Tx
from digest.templating import Templates

_MOST_WAITING = 12


@dataclass(frozen=True, kw_only=True)
class Looked:
    """An edition as somebody sees it who has to decide.

    Attributes:
        edition: The edition.
        newsletter: Its newsletter.
        stories: In order, the lead first.
        stamp: Names exactly this content; `approve` and `edit` take it as `seen`.
        found: What preflight says; None where nothing can be decided any more.
        waiting: Stories of its week that it does not carry, the newest first.
    """

    edition: Edition
    newsletter: Newsletter
    stories: Sequence[Story]
    stamp: str
    found: Preflight | None
    waiting: Sequence[Article] = ()

    @property
    def is_open(self) -> bool:
        """Whether it may still be changed, approved and held."""
        return self.edition.state in CHANGEABLE

    @property
    def errors(self) -> list[str]:
        """What must be mended, a line each."""
        return self._lines(self.found.errors) if self.found else []

    @property
    def warnings(self) -> list[str]:
        """What somebody should look at, a line each."""
        return self._lines(self.found.warnings) if self.found else []

    def _lines(self, findings: Sequence[Finding]) -> list[str]:
        """Name stories by their place: who reads these knows no article ids."""
        places = {f"article {s.article_id}": s.position for s in self.stories}
        told: dict[str, list[int]] = {}
        for finding in findings:
            told.setdefault(finding.message, [])
            if finding.where in places:
                told[finding.message].append(places[finding.where])
        return [_line(message, sorted(found)) for message, found in told.items()]


def _line(message: str, places: Sequence[int]) -> str:
    if not places:
        return message
    noun = "Story" if len(places) == 1 else "Stories"
    return f"{noun} {', '.join(map(str, places))}: {message}"


def look(
    db: Database,
    *,
    edition_id: int,
    templates: Templates,
    site: Site,
    posting: Posting,
    now: datetime,
) -> Looked:
    """Load an edition and check it, in one transaction.

    Args:
        db: The database.
        edition_id: The edition.
        templates: The installation's templates.
        site: Its public addresses.
        posting: How it would post the letters.
        now: The present.

    Raises:
        NotFoundError: There is no such edition.
    """
    with db.read() as tx:
        edition = editions.get(tx, edition_id)
        if edition.state not in CHANGEABLE:
            return Looked(
                edition=edition,
                newsletter=newsletters.get_by_id(tx, edition.newsletter_id),
                stories=editions.stories(tx, edition_id),
                stamp=edition.content_hash,
                found=None,
            )
        loaded = load(tx, edition_id)
        stamp = content_hash(
            edition, loaded.newsletter, loaded.stories, templates=templates, site=site
        )
        return Looked(
            edition=edition,
            newsletter=loaded.newsletter,
            stories=loaded.stories,
            stamp=stamp,
            found=inspect(loaded, templates=templates, site=site, posting=posting),
            waiting=_waiting(tx, edition, loaded.stories, now),
        )


def _waiting(
    tx: Tx, edition: Edition, stories: Sequence[Story], now: datetime
) -> list[Article]:
    first, last = days_carried(tx, edition.newsletter_id, edition.issue_date)
    carried = {story.article_id for story in stories}
    found = pool.candidates(
        tx,
        newsletter_id=edition.newsletter_id,
        first=first,
        last=last,
        at=max(now, goes_at(tx, edition) or now),
    )
    return [a for a in found if a.id not in carried][:_MOST_WAITING]
