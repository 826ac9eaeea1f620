"""The throttle: permits for letters, shared through the database."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from digest.domain.rates import RateRules
from digest.send.throttle import Throttle
from digest.storage.engine import Database
from tests.builders import NOW, add_newsletter
from tests.posting import Clock, add_edition, add_readers, release_edition


class Persist:
    """Writes at once, and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, work: Callable[[], Any]) -> Any:
        self.calls += 1
        return await asyncio.to_thread(work)


def make_throttle(
    db: Database, clock: Clock, *, persist: Persist | None = None, **rules: Any
) -> Throttle:
    """A worker's throttle."""
    return Throttle(
        RateRules(**rules), db=db, persist=persist or Persist(), clock=clock
    )


async def admit(throttle: Throttle, many: int, domain: str = "example.com") -> int:
    """Ask for so many letters; how many may go."""
    waits = [await throttle.admit(domain, is_edition=True) for _ in range(many)]
    return waits.count(None)


async def test_two_workers_share_one_rate(db: Database) -> None:
    clock = Clock()
    one, two = (make_throttle(db, clock, relay=1200) for _ in range(2))

    went = await asyncio.gather(admit(one, 50), admit(two, 50))

    assert sum(went) == 20


async def test_a_minute_of_two_workers_holds_the_limit(sqlite_db: Database) -> None:
    clock, went = Clock(), 0
    workers = [make_throttle(sqlite_db, clock, relay=100) for _ in range(2)]

    while clock.now < NOW + timedelta(minutes=1):
        for worker in workers:
            went += await admit(worker, 3)
        clock.move(seconds=0.3)

    assert 98 <= went <= 102


async def test_two_workers_share_the_rate_of_a_domain(db: Database) -> None:
    clock = Clock()
    rules: dict[str, Any] = {"domains": {"example.com": 1200, "*": 600}}
    one, two = (make_throttle(db, clock, **rules) for _ in range(2))

    went = await asyncio.gather(admit(one, 50), admit(two, 50))
    others = await asyncio.gather(
        admit(one, 50, "a.example"), admit(two, 50, "a.example")
    )

    assert (sum(went), sum(others)) == (20, 10)


async def test_two_workers_share_a_day_of_the_ramp(db: Database) -> None:
    clock = Clock()
    rules: dict[str, Any] = {"warm_up": [50, 90], "warm_up_from": NOW}
    one, two = (make_throttle(db, clock, **rules) for _ in range(2))

    first = await asyncio.gather(admit(one, 100), admit(two, 100))
    clock.move(days=1)
    second = await asyncio.gather(admit(one, 100), admit(two, 100))

    assert (sum(first), sum(second)) == (50, 90)


async def test_a_domain_that_is_used_up_holds_up_no_other(sqlite_db: Database) -> None:
    throttle = make_throttle(sqlite_db, Clock(), domains={"example.com": 60})

    named, other = await admit(throttle, 5), await admit(throttle, 5, "a.example")

    assert (named, other) == (1, 5)


async def test_says_when_there_will_be_permits(sqlite_db: Database) -> None:
    throttle = make_throttle(sqlite_db, Clock(), domains={"*": 6})
    await admit(throttle, 1)

    wait = await throttle.admit("example.com", is_edition=True)

    assert wait is not None
    assert wait.limit.key == "domain:example.com"
    assert wait.until == NOW + timedelta(seconds=10)


async def test_a_used_up_limit_is_not_asked_for_again(sqlite_db: Database) -> None:
    persist = Persist()
    throttle = make_throttle(sqlite_db, Clock(), persist=persist, relay=60)
    await admit(throttle, 2)
    before = persist.calls

    await admit(throttle, 50)

    assert persist.calls == before == 2


async def test_nothing_is_fetched_for_letters_without_a_limit(
    sqlite_db: Database,
) -> None:
    persist = Persist()
    rules = {"domains": {"example.com": 6}}
    throttle = make_throttle(sqlite_db, Clock(), persist=persist, **rules)

    assert throttle.try_admit("a.example", is_edition=True)
    assert persist.calls == 0


async def test_the_ramp_begins_with_the_first_release(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 1)
    release_edition(db, add_edition(db, newsletter), now=NOW - timedelta(hours=30))
    throttle = make_throttle(db, Clock(), warm_up=[5, 9])

    went = await admit(throttle, 20)
    wait = await throttle.admit("example.com", is_edition=True)

    assert went == 9
    assert wait is not None
    assert wait.until == NOW + timedelta(hours=18)


async def test_the_ramp_begins_on_the_day_that_was_set(sqlite_db: Database) -> None:
    clock = Clock()
    throttle = make_throttle(sqlite_db, clock, warm_up=[5, 9], warm_up_from=NOW)

    days = []
    for _ in range(3):
        days.append(await admit(throttle, 20))
        clock.move(days=1)

    assert days == [5, 9, 20]


async def test_the_ramp_holds_up_no_notice(sqlite_db: Database) -> None:
    throttle = make_throttle(sqlite_db, Clock(), warm_up=[1], warm_up_from=NOW)
    await admit(throttle, 2)

    assert await throttle.admit("example.com", is_edition=False) is None


async def test_who_waits_for_tomorrow_takes_no_permit_of_others(
    sqlite_db: Database,
) -> None:
    throttle = make_throttle(
        sqlite_db, Clock(), warm_up=[1], warm_up_from=NOW, relay=180
    )
    await admit(throttle, 30)

    notices = [await throttle.admit("a.example", is_edition=False) for _ in range(3)]

    assert notices.count(None) == 2


async def test_forgets_domains_it_has_not_met_for_long(
    sqlite_db: Database, monkeypatch: Any
) -> None:
    monkeypatch.setattr("digest.send.throttle._MOST_KEPT", 3)
    clock = Clock()
    throttle = make_throttle(sqlite_db, clock, domains={"*": 60})

    for number in range(9):
        assert await admit(throttle, 2, f"d{number}.example") == 1
        clock.move(seconds=1)

    assert len(throttle._stocks) <= 3
