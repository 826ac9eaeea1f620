"""A storm of refusals on account of the sender pauses the edition (design §4.5)."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from digest.domain.actor import WORKER
from digest.domain.answers import ALL, Refused, describe, is_storm, look_back
from digest.domain.deliveries import Delivery, Result
from digest.domain.states import EditionState
from digest.send.job import Job
from digest.send.ledger import Persist
from digest.send.post import Clock
from digest.storage import answers, audit, editions
from digest.storage.engine import Database, Tx

_log = structlog.get_logger()
_MOST_DOMAINS = 20_000


@dataclass(frozen=True)
class _News:
    """A refusal that the database does not know yet."""

    edition_id: int
    domain: str
    refused: Refused


class StormWatch:
    """Counts the answers of one worker; shares them once there is a refusal.

    While nobody refuses us it costs two sums in memory for a letter and no query.
    Answers are written together with the next refusal, so that the share of refusals
    among what is written is the true one.

    Args:
        db: The database, where all workers add up what they heard.
        share: The share of policy refusals that is borne; 1: any.
        persist: Runs what writes.
        clock: The time.
    """

    def __init__(
        self, db: Database, *, share: float, persist: Persist, clock: Clock
    ) -> None:
        self._db = db
        self._share = share
        self._persist = persist
        self._clock = clock
        self._others: Counter[tuple[int, str]] = Counter()
        self._news: list[_News] = []
        self._writing = asyncio.Lock()

    def hear(self, job: Job, result: Result) -> bool:
        """Count what a server answered to a letter.

        Returns:
            Whether it refused on account of the sender: then `share` must follow.
        """
        letter = job.letter
        if result.smtp_code is None or not isinstance(letter, Delivery):
            return False
        places = (letter.edition_id, job.domain), (letter.edition_id, ALL)
        if result.policy is None:
            if len(self._others) > _MOST_DOMAINS:
                self._others.clear()
            for place in places:
                self._others[place] += 1
            return False
        for edition_id, domain in places:
            others = self._others.pop((edition_id, domain), 0)
            refused = Refused(code=result.policy, others=others)
            self._news.append(_News(edition_id, domain, refused))
        return True

    async def share(self) -> None:
        """Add what was heard to what all workers heard; it may pause the edition."""
        # Whoever waits while one transaction runs shares the next.
        async with self._writing:
            news, self._news = self._news, []
            if news:
                now = self._clock()
                await self._persist(lambda: self._write(news, now))

    def _write(self, news: Sequence[_News], now: datetime) -> None:
        by_edition: dict[int, dict[str, list[Refused]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for item in news:
            by_edition[item.edition_id][item.domain].append(item.refused)
        for edition_id in sorted(by_edition):
            with self._db.write() as tx:
                reason = _add(tx, edition_id, by_edition[edition_id], self._share, now)
            if reason is not None:
                _log.error("edition.paused", id=edition_id, reason=reason)


def _add(
    tx: Tx,
    edition_id: int,
    news: Mapping[str, Sequence[Refused]],
    share: float,
    now: datetime,
) -> str | None:
    """Add what was heard; pause where it is a storm, and say why."""
    answers.lock(tx, edition_id)
    edition = editions.get(tx, edition_id)
    if edition.state != EditionState.SENDING:
        # Letters that were under way at the pause say nothing new.
        return None
    known = answers.load(tx, edition_id, sorted(news))
    for domain in sorted(news, key=lambda name: name == ALL):
        last = look_back([*known.get(domain, ()), *news[domain]])
        answers.put(tx, edition_id, domain, last)
        if is_storm(last, share=share):
            reason = describe(domain, last)
            editions.move(
                tx, edition, EditionState.PAUSED, now=now, pause_reason=reason
            )
            audit.record(
                tx,
                actor=WORKER,
                action="edition.paused",
                subject=("edition", edition_id),
                now=now,
                detail={"reason": reason},
            )
            return reason
    return None
