"""How fast letters may go: limits, and the arithmetic of their shares.

A limit is a number of permits for each span of time, the same for all workers. They
take permits from the database in small shares and spend them by themselves, so that
a worker which dies wastes one share at most.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

ANY_DOMAIN = "*"
RELAY, WARM_UP = "relay", "warm-up"
"""The keys of the limits that concern every receiving domain."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
_SHARES = 10
_LARGEST_SHARE_OF_A_DAY = 20


@dataclass(frozen=True, kw_only=True)
class Limit:
    """So many letters in each span of time.

    Attributes:
        key: What is limited.
        permits: Letters in one span.
        period: Its length.
        share: Permits a worker takes at once.
        anchor: Where one span begins.
    """

    key: str
    permits: int
    period: timedelta
    share: int
    anchor: datetime = _EPOCH

    @property
    def spacing(self) -> timedelta:
        """The time one letter takes up on average."""
        return self.period / self.permits

    def start(self, now: datetime) -> datetime:
        """Return where the present span began."""
        return self.anchor + (now - self.anchor) // self.period * self.period

    def end(self, now: datetime) -> datetime:
        """Return where the next span begins."""
        return self.start(now) + self.period


@dataclass(frozen=True, kw_only=True)
class Used:
    """What all workers took of one limit.

    Attributes:
        span: Where the span began in which they took it.
        taken: How many permits.
    """

    span: datetime
    taken: int


@dataclass(frozen=True, kw_only=True)
class RateRules:
    """What an operator allows.

    Attributes:
        relay: Letters a minute over all; 0: no limit.
        domains: Letters a minute by receiving domain; `*`: each that is not named.
        warm_up: Editions' letters on the first days; afterwards no limit.
        warm_up_from: When the first day begins; None: with the first release.
    """

    relay: int = 0
    domains: Mapping[str, int] = field(default_factory=dict)
    warm_up: Sequence[int] = ()
    warm_up_from: datetime | None = None

    @property
    def is_any(self) -> bool:
        """Whether anything is limited."""
        return bool(self.relay or self.domains or self.warm_up)

    def domain_limit(self, domain: str) -> Limit | None:
        """Return the limit of a receiving domain, if it has one."""
        letters = self.domains.get(domain) or self.domains.get(ANY_DOMAIN)
        return per_minute(f"domain:{domain}", letters) if letters else None

    def warm_up_limit(self, start: datetime, now: datetime) -> Limit | None:
        """Return today's limit of a ramp whose first day begins at `start`."""
        # A clock that runs behind the release's is still in the first day.
        day = max((now - start) // _DAY, 0)
        if day >= len(self.warm_up):
            return None
        permits = self.warm_up[day]
        share = min(_share(permits), _LARGEST_SHARE_OF_A_DAY)
        return Limit(
            key=WARM_UP, permits=permits, period=_DAY, share=share, anchor=start
        )


def least_time(
    rules: RateRules, by_domain: Mapping[str, int], *, now: datetime
) -> timedelta:
    """Return how long letters take at least under the limits alone.

    Args:
        rules: What is allowed.
        by_domain: How many letters, by receiving domain.
        now: When the first one goes; also the first day of a ramp without a date.
    """
    letters = sum(by_domain.values())
    waits = [rules.domain_limit(domain) for domain in by_domain]
    spans = [
        limit.spacing * count
        for limit, count in zip(waits, by_domain.values(), strict=True)
        if limit
    ]
    if rules.relay:
        spans.append(per_minute(RELAY, rules.relay).spacing * letters)
    return max([_ramp(rules, letters, now), *spans])


def _ramp(rules: RateRules, letters: int, now: datetime) -> timedelta:
    """Count the whole days that a ramp holds the last letter back."""
    start, days = rules.warm_up_from or now, 0
    while (limit := rules.warm_up_limit(start, now + days * _DAY)) is not None:
        letters -= limit.permits
        if letters <= 0:
            break
        days += 1
    return days * _DAY


def per_minute(key: str, letters: int) -> Limit:
    """Spread so many letters a minute over spans of about a second, or one letter."""
    permits = -(-letters // 60)
    return Limit(
        key=key,
        permits=permits,
        period=_MINUTE * permits / letters,
        share=_share(permits),
    )


def _share(permits: int) -> int:
    return -(-permits // _SHARES)


def take(limit: Limit, used: Used | None, *, now: datetime) -> tuple[Used, int]:
    """Take one share of what is left of a limit's present span.

    Args:
        limit: The limit.
        used: What was taken before; None: nothing ever.
        now: The present.

    Returns:
        What is taken then, and how many permits of it are the caller's: none where
        the span is used up, or where a worker whose clock is ahead began the next.
    """
    span = limit.start(now)
    if used is not None and used.span > now:
        return used, 0
    # A later span than ours was cut by other settings; what was taken in it counts.
    taken = used.taken if used is not None and used.span >= span else 0
    granted = max(min(limit.share, limit.permits - taken), 0)
    return Used(span=span, taken=taken + granted), granted
