"""Allowances, counted in the database for all processes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from hypothesis import given, strategies as st

from digest.domain.allowances import Allowance
from digest.storage import tables, tallies
from digest.storage.engine import Database
from tests.builders import NOW

HOUR = timedelta(hours=1)
ONE = Allowance(key="one", most=2, within=HOUR)
ALL = Allowance(key="all", most=3, within=HOUR)


def take(db: Database, *allowances: Allowance, after: timedelta = timedelta()) -> bool:
    with db.write() as tx:
        return tallies.take(tx, allowances, now=NOW + after)


def test_no_more_is_given_than_is_allowed(db: Database) -> None:
    taken = [take(db, ONE) for _ in range(3)]

    assert taken == [True, True, False]


def test_a_refusal_counts_against_nothing(db: Database) -> None:
    for _ in range(3):
        take(db, ONE, ALL)

    others = [take(db, ALL), take(db, ALL)]

    assert others == [True, False]


def test_there_is_room_again_when_the_stretch_is_over(db: Database) -> None:
    take(db, ONE)
    take(db, ONE, after=HOUR / 2)

    early = take(db, ONE, after=HOUR - timedelta(seconds=1))
    late = take(db, ONE, after=HOUR * 13 / 12)

    assert (early, late) == (False, True)


def test_looking_counts_nothing(db: Database) -> None:
    take(db, ONE)
    with db.read() as tx:
        before = [tallies.has_room(tx, [ONE], now=NOW) for _ in range(3)]
    take(db, ONE)

    with db.read() as tx:
        after = tallies.has_room(tx, [ONE], now=NOW)

    assert (before, after) == ([True] * 3, False)


def test_what_no_longer_counts_is_deleted(db: Database) -> None:
    take(db, ONE)

    take(db, ALL, after=2 * HOUR)

    with db.read() as tx:
        keys = [row.key for row in tx.execute(tables.tallies.select())]
    assert keys == ["all"]


def test_many_at_once_get_no_more_than_one_after_another(db: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: take(db, ONE, ALL), range(24)))

    assert sum(taken) == 2


@given(
    st.lists(st.integers(0, 7200), max_size=30).map(sorted),
    st.integers(1, 4),
)
def test_no_stretch_ever_holds_more(moments: list[int], most: int) -> None:
    """The parts' arithmetic alone: each counts until its last moment is past."""
    allowance = Allowance(key="x", most=most, within=HOUR)
    kept: list[tuple[timedelta, timedelta]] = []
    for moment in (timedelta(seconds=second) for second in moments):
        _, until = allowance.part_of(NOW + moment)
        if sum(end > moment for _, end in kept) < most:
            kept.append((moment, until - NOW))

    times = [moment for moment, _ in kept]
    assert all(sum(t <= u < t + HOUR for u in times) <= most for t in times)
