"""The throttle: how fast letters may go, shared by all workers (design §6).

Permits are leased from the database in small shares and spent in memory. A worker
asks at most ten times for what one span allows, and once more to learn that it is
used up.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.domain.rates import RELAY, Limit, RateRules, per_minute
from digest.send.ledger import Persist
from digest.send.post import Clock
from digest.storage import rates
from digest.storage.engine import Database

_MOST_KEPT = 20_000


@dataclass(frozen=True, kw_only=True)
class Wait:
    """A letter may not go yet.

    Attributes:
        limit: What is used up.
        until: When there will be permits again.
    """

    limit: Limit
    until: datetime


@dataclass(kw_only=True)
class _Stock:
    """Permits of one limit in our hands.

    Attributes:
        until: They are worth nothing from then on.
        left: How many.
        is_dry: There was nothing left to lease.
    """

    until: datetime
    left: int
    is_dry: bool


class Throttle:
    """Says of each letter whether it may go now.

    Args:
        rules: What the operator allows.
        db: The database.
        persist: Runs what writes.
        clock: The time.
    """

    def __init__(
        self, rules: RateRules, *, db: Database, persist: Persist, clock: Clock
    ) -> None:
        self._rules = rules
        self._db = db
        self._persist = persist
        self._clock = clock
        self._relay = per_minute(RELAY, rules.relay) if rules.relay else None
        self._domains: dict[str, Limit | None] = {}
        self._ramp_from = rules.warm_up_from
        self._stocks: dict[str, _Stock] = {}
        self._asking = asyncio.Lock()

    def try_admit(self, domain: str, *, is_edition: bool) -> bool:
        """Take a permit of every limit that concerns a letter, if all are at hand.

        Args:
            domain: Its receiving domain.
            is_edition: An edition's letter; others are not held up by the ramp.

        Returns:
            Whether it goes now; if not, `admit` says what it waits for.
        """
        if is_edition and self._rules.warm_up and self._ramp_from is None:
            return False
        now = self._clock()
        limits = self._limits(domain, is_edition=is_edition, now=now)
        if self._short(limits, now):
            return False
        for limit in limits:
            self._stocks[limit.key].left -= 1
        return True

    async def admit(self, domain: str, *, is_edition: bool) -> Wait | None:
        """Do the same, and fetch permits where there are none at hand.

        Returns:
            None: the letter goes now. Or what it waits for.
        """
        async with self._asking:
            if is_edition and self._rules.warm_up and self._ramp_from is None:
                self._ramp_from = await self._persist(self._first_release)
            while not self.try_admit(domain, is_edition=is_edition):
                now = self._clock()
                limits = self._limits(domain, is_edition=is_edition, now=now)
                short = self._short(limits, now)
                for limit in short:
                    stock = self._stocks.get(limit.key)
                    if stock is not None and stock.is_dry and now < stock.until:
                        return Wait(limit=limit, until=stock.until)
                if short:
                    await self._lease(short, now)
            return None

    def _limits(self, domain: str, *, is_edition: bool, now: datetime) -> list[Limit]:
        # The ramp first: who waits for tomorrow shall take no permit of the others.
        ramp = self._ramp(now) if is_edition else None
        limits = (ramp, self._relay, self._domain(domain))
        return [limit for limit in limits if limit is not None]

    def _short(self, limits: Sequence[Limit], now: datetime) -> list[Limit]:
        """Find the limits of which no permit is at hand."""
        short = []
        for limit in limits:
            stock = self._stocks.get(limit.key)
            if stock is None or now >= stock.until or not stock.left:
                short.append(limit)
        return short

    def _domain(self, domain: str) -> Limit | None:
        if domain not in self._domains:
            if len(self._domains) >= _MOST_KEPT:
                self._domains.clear()
            self._domains[domain] = self._rules.domain_limit(domain)
        return self._domains[domain]

    def _ramp(self, now: datetime) -> Limit | None:
        if self._ramp_from is None:
            return None
        return self._rules.warm_up_limit(self._ramp_from, now)

    def _first_release(self) -> datetime:
        with self._db.read() as tx:
            found = rates.first_release(tx)
        assert found is not None, "an edition's letter was released"
        return found

    async def _lease(self, limits: Sequence[Limit], now: datetime) -> None:
        def lease() -> Mapping[str, int]:
            with self._db.write() as tx:
                return rates.lease(tx, limits, now=now)

        granted = await self._persist(lease)
        if len(self._stocks) >= _MOST_KEPT:
            self._stocks = {k: s for k, s in self._stocks.items() if now < s.until}
        for limit in limits:
            left = granted[limit.key]
            self._stocks[limit.key] = _Stock(
                until=limit.end(now), left=left, is_dry=not left
            )
