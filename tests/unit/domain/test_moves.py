"""Single issues at another time: anywhere, but never past a neighbour."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from digest.domain.calendar import next_issues
from digest.domain.errors import StateError
from digest.domain.moves import check_move, idle_exceptions
from digest.domain.rhythms import monthly
from tests.calendars import CAIRO, SUNDAY, WEEK, moved, skipped


@given(st.integers(-20, 20), st.integers(-20, 20))
def test_moves_never_change_the_order_of_issues(first: int, second: int) -> None:
    schedule, days = CAIRO, (SUNDAY, SUNDAY + WEEK)
    for day, hours in zip(days, (first * 9, second * 9), strict=True):
        to = datetime.combine(day, CAIRO.at) + timedelta(hours=hours)
        try:
            check_move(schedule, day, to)
        except StateError:
            continue
        exceptions = (*schedule.exceptions, moved(day, to))
        schedule = replace(schedule, exceptions=exceptions)

    found = next_issues(schedule, datetime(2026, 11, 1, tzinfo=UTC), 8)

    assert [i.issue_date for i in found] == sorted({i.issue_date for i in found})
    assert len(found) == 8


def test_refuses_a_move_past_a_neighbour_that_was_moved_itself() -> None:
    saturday = datetime.fromisoformat("2026-12-05 10:00")
    schedule = replace(CAIRO, exceptions=(moved(SUNDAY + WEEK, saturday),))

    with pytest.raises(StateError) as caught:
        check_move(schedule, SUNDAY, datetime.fromisoformat("2026-12-05 11:00"))

    assert caught.value.mend == "Choose a time before 2026-12-05 10:00."


def test_refuses_a_move_before_the_last_issue() -> None:
    with pytest.raises(StateError, match="after 2026-11-22 19:00"):
        check_move(CAIRO, SUNDAY, datetime.fromisoformat("2026-11-22 19:00"))


def test_a_monthly_issue_moves_anywhere_between_its_neighbours() -> None:
    schedule = replace(CAIRO, rhythm=monthly(15))

    issue = check_move(
        schedule, date(2026, 11, 15), datetime.fromisoformat("2026-12-14 10:00")
    )

    assert issue.due == datetime(2026, 12, 14, 8, tzinfo=UTC)
    with pytest.raises(StateError, match="cannot overtake that of 2026-12-15"):
        check_move(
            schedule, date(2026, 11, 15), datetime.fromisoformat("2026-12-16 10:00")
        )


def test_a_move_far_away_stays_in_the_order_of_issues() -> None:
    day, to = date(2026, 11, 15), datetime.fromisoformat("2026-12-14 10:00")
    schedule = replace(CAIRO, rhythm=monthly(15), exceptions=(moved(day, to),))

    found = next_issues(schedule, datetime(2026, 12, 1, tzinfo=UTC), 2)

    assert [issue.issue_date for issue in found] == [day, date(2026, 12, 15)]


def test_finds_the_exceptions_another_rhythm_has_no_place_for() -> None:
    monday = moved(date(2026, 11, 30), datetime.fromisoformat("2026-11-30 10:00"))
    far = moved(SUNDAY, datetime.fromisoformat("2026-12-20 10:00"))
    near = moved(SUNDAY + WEEK, datetime.fromisoformat("2026-12-07 10:00"))
    schedule = replace(
        CAIRO, exceptions=(monday, far, near, skipped(SUNDAY + 2 * WEEK))
    )

    assert list(idle_exceptions(schedule)) == [monday, far]
