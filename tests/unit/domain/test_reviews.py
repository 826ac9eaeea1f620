"""When the desk is reminded."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from digest.domain.reviews import REMINDERS, DeskMail, reminders

DUE = datetime(2024, 5, 12, 16, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def minutes(before: int, grace: int) -> dict[DeskMail, int]:
    """The reminders of an issue, in minutes from its hour."""
    found = reminders(asked_at=DUE - before * MINUTE, due=DUE, grace=grace * MINUTE)
    return {name: int((at - DUE) / MINUTE) for name, at in found.items()}


@pytest.mark.parametrize(
    ("before", "grace", "expected"),
    [
        (1440, 360, (-60, 0, 300)),
        (120, 60, (-60, 0, 30)),
        (40, 0, (-20, 0, None)),
        (10, 10, (None, 0, None)),
        (-30, 360, (None, None, 300)),
    ],
)
def test_reminders_are_spread_over_the_time_there_is(
    before: int, grace: int, expected: tuple[int | None, ...]
) -> None:
    found = minutes(before, grace)

    assert tuple(found.get(name) for name in REMINDERS) == expected


@given(before=st.integers(-600, 9000), grace=st.integers(0, 9000))
def test_reminders_are_in_order_and_none_follows_the_question_closely(
    before: int, grace: int
) -> None:
    found = minutes(before, grace)

    moments = list(found.values())
    assert moments == sorted(moments)
    assert all(moment + before >= 10 for moment in moments)
    assert found.get(DeskMail.LAST, 0) <= grace
