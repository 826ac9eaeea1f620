"""A clock that is set is noticed, and left some time to be set right."""

from datetime import timedelta

import pytest
from hypothesis import given, strategies as st

from digest.domain.steadiness import PATIENCE, SLACK, Steadiness
from tests.builders import NOW

HOUR = timedelta(hours=1)
SECONDS = PATIENCE.total_seconds()


def test_the_first_look_has_nothing_to_compare() -> None:
    watch = Steadiness()

    assert watch.look(NOW, 100.0) is None
    assert watch.is_steady(100.0)


@given(st.lists(st.floats(0, 10**7), min_size=2, max_size=20))
def test_time_that_passes_is_no_step(waits: list[float]) -> None:
    watch, now, uptime = Steadiness(), NOW, 0.0

    for wait in waits:
        now, uptime = now + timedelta(seconds=wait), uptime + wait
        assert watch.look(now, uptime) is None
        assert watch.is_steady(uptime)


@pytest.mark.parametrize("step", [HOUR, -HOUR, timedelta(days=365), timedelta(days=-7)])
def test_a_step_is_noticed_and_outlived(step: timedelta) -> None:
    watch = Steadiness()
    watch.look(NOW, 0.0)

    found = watch.look(NOW + step + timedelta(seconds=30), 30.0)

    assert found == step
    assert not watch.is_steady(30.0 + SECONDS - 1)
    assert watch.is_steady(30.0 + SECONDS)


def test_a_small_correction_is_none() -> None:
    watch = Steadiness()
    watch.look(NOW, 0.0)

    assert watch.look(NOW + SLACK, 0.0) is None
    assert watch.is_steady(0.0)


def test_setting_it_right_again_begins_the_wait_anew() -> None:
    watch = Steadiness()
    watch.look(NOW, 0.0)
    watch.look(NOW + HOUR, 0.0)

    back = watch.look(NOW + timedelta(seconds=60), 60.0)

    assert back == -HOUR
    assert not watch.is_steady(SECONDS)
    assert watch.is_steady(60.0 + SECONDS)
