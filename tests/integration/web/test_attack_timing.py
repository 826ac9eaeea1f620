"""Attack A9: the time of an answer does not tell whether an address is known."""

from pathlib import Path

import pytest

from bench.ranks import likeness
from bench.sign_ups import make_service, time_answers


def test_a9_known_and_unknown_addresses_are_answered_after_the_same_time(
    tmp_path: Path,
) -> None:
    """`python -m bench.sign_ups` does it a thousand times each.

    One of a hundred honest samples fails at p = 0.01: three in a row do not.
    """
    service = make_service(tmp_path)

    chances = (likeness(*time_answers(service, 60)) for _ in range(3))

    assert any(chance > 0.01 for chance in chances)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (range(0, 100, 2), range(1, 100, 2), pytest.approx(0.863, abs=0.01)),
        (range(50), range(100, 150), pytest.approx(0, abs=1e-9)),
        ([1.0] * 50, [1.0] * 50, 1.0),
    ],
)
def test_ranks_tell_samples_apart(first: range, second: range, expected: float) -> None:
    assert likeness(list(first), list(second)) == expected
