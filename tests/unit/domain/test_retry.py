"""When a letter is tried again, and when it is given up."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from digest.domain.retry import RetryPolicy
from tests.builders import NOW

POLICY = RetryPolicy()
rolls = st.floats(0, 1)
tries = st.integers(1, 10_000)


@pytest.mark.parametrize(
    ("refusals", "minutes"), [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (9, 60)]
)
def test_waits_longer_after_each_refusal(refusals: int, minutes: int) -> None:
    again = POLICY.after_refusal(refusals=refusals, first_at=NOW, now=NOW, roll=0.5)

    assert again == NOW + timedelta(minutes=minutes)


@given(tries, rolls)
def test_spreads_by_a_fifth_at_most(refusals: int, roll: float) -> None:
    def after(chance: float) -> datetime:
        found = POLICY.after_refusal(
            refusals=refusals, first_at=NOW, now=NOW, roll=chance
        )
        assert found is not None
        return found

    middle = after(0.5) - NOW

    assert middle * 0.799 <= after(roll) - NOW <= middle * 1.201


def test_the_last_try_is_at_the_deadline_not_past_it() -> None:
    late = NOW + timedelta(hours=71, minutes=50)

    again = POLICY.after_refusal(refusals=9, first_at=NOW, now=late, roll=1)

    assert again == NOW + timedelta(hours=72)


def test_gives_up_at_the_deadline() -> None:
    late = NOW + timedelta(hours=72)

    refused = POLICY.after_refusal(refusals=9, first_at=NOW, now=late, roll=0)
    broken = POLICY.after_trouble(times=1, first_at=NOW, now=late, roll=0)

    assert (refused, broken) == (None, None)


@pytest.mark.parametrize(("times", "seconds"), [(1, 30), (2, 60), (3, 120), (99, 600)])
def test_trouble_doubles_its_wait_up_to_a_bound(times: int, seconds: int) -> None:
    again = POLICY.after_trouble(times=times, first_at=NOW, now=NOW, roll=0.5)

    assert again == NOW + timedelta(seconds=seconds)


@given(tries, rolls)
def test_never_overflows(times: int, roll: float) -> None:
    again = POLICY.after_trouble(times=times, first_at=NOW, now=NOW, roll=roll)

    assert again is not None
    assert again <= NOW + timedelta(minutes=12)
