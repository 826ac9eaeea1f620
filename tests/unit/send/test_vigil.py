"""The vigil: when a silent worker counts as dead."""

from contextlib import suppress
from datetime import timedelta

import pytest

from digest.domain.deliveries import Lease, LetterKind
from digest.send.vigil import Vigil

LEASE = Lease(kind=LetterKind.DELIVERY, row_id=1, fence=1)
TAKEN_AGAIN = Lease(kind=LetterKind.DELIVERY, row_id=1, fence=2)


class Watch:
    """Seconds that a test lets pass."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def vigil(watch: Watch) -> Vigil:
    return Vigil(
        patience=timedelta(seconds=1.25), gap=timedelta(seconds=1), monotonic=watch
    )


def look(vigil: Vigil, watch: Watch, *leases: Lease, after: float) -> list[Lease]:
    """Look once more some seconds after the last time."""
    watch.seconds += after
    with vigil.looking():
        return vigil.left_behind(leases)


def test_a_lease_is_left_behind_once_its_holder_had_time(
    vigil: Vigil, watch: Watch
) -> None:
    looks = [look(vigil, watch, LEASE, after=0.5) for _ in range(4)]

    assert looks == [[], [], [], [LEASE]]


def test_a_heartbeat_is_an_answer(vigil: Vigil, watch: Watch) -> None:
    look(vigil, watch, LEASE, after=0)
    look(vigil, watch, LEASE, after=0.75)
    look(vigil, watch, after=0.5)

    assert look(vigil, watch, LEASE, after=0.5) == []


def test_who_was_held_up_between_two_looks_begins_anew(
    vigil: Vigil, watch: Watch
) -> None:
    look(vigil, watch, LEASE, after=0)

    assert look(vigil, watch, LEASE, after=20) == []


def test_a_look_that_failed_shows_nothing(vigil: Vigil, watch: Watch) -> None:
    look(vigil, watch, LEASE, after=0)
    look(vigil, watch, LEASE, after=0.75)
    with suppress(OSError), vigil.looking():
        vigil.left_behind([LEASE])
        raise OSError("full")

    assert look(vigil, watch, LEASE, after=0.75) == []


def test_another_claim_is_another_lease(vigil: Vigil, watch: Watch) -> None:
    look(vigil, watch, LEASE, after=0)
    look(vigil, watch, LEASE, after=0.75)

    assert look(vigil, watch, TAKEN_AGAIN, after=0.75) == []
