"""What a schedule that is set now does first, said in words."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from digest.domain.calendar import Approval
from digest.domain.editions import Edition
from digest.domain.outlook import describe_outlook, write_span
from digest.domain.rhythms import weekly
from digest.domain.schedules import KeptSchedule
from digest.domain.states import EditionState
from tests.calendars import CAIRO, SUNDAY, WEEK, moved, skipped

HOUR = timedelta(hours=1)
# 19:00 in Cairo on Sunday 29 November 2026.
DUE = datetime(2026, 11, 29, 17, tzinfo=UTC)
PASSED = (
    "The hour of 2026-11-29, Sun 2026-11-29 19:00, has passed:"
    " the schedule does not make up for it."
)
COLLECTED_AT_ONCE = (
    "Its stories are collected at once: the usual time, Sun 2026-11-29 17:00,"
    " has passed."
)
NEEDS_APPROVAL = (
    "It needs a person's approval; one that comes after Mon 2026-11-30 01:00 no"
    " longer releases it."
)


def kept(since: datetime, **changes: Any) -> KeptSchedule:
    return KeptSchedule(
        id=1,
        newsletter_id=1,
        plan=replace(CAIRO, **changes),
        since=since,
        collected_for=None,
        late_for=None,
        trouble=None,
    )


def edition(state: EditionState, day: date = SUNDAY, **changes: Any) -> Edition:
    return Edition(
        id=7,
        newsletter_id=1,
        issue_date=day,
        number=3,
        subject="Rafah",
        state=state,
        created_at=DUE,
        updated_at=DUE,
        **changes,
    )


def outlook(now: datetime, *made: Edition, **changes: Any) -> list[str]:
    """What a schedule says that is set at `now`."""
    return describe_outlook(kept(now, **changes), made, now=now)


def test_an_hour_before_its_time_the_issue_still_goes_today() -> None:
    said = outlook(DUE - HOUR)

    assert said == [
        "The issue of 2026-11-29 is due in 1 h.",
        COLLECTED_AT_ONCE,
        NEEDS_APPROVAL,
    ]


def test_days_before_it_says_when_stories_are_collected() -> None:
    said = outlook(DUE - 60 * HOUR, approval=Approval.AUTO)

    assert said == [
        "The issue of 2026-11-29 is due in 2 d 12 h.",
        "Its stories are collected in 2 d 10 h.",
        "It goes by itself if preflight finds no error.",
    ]


def test_an_hour_after_its_time_it_begins_with_the_next_issue() -> None:
    first, second, *_ = outlook(DUE + HOUR)

    assert first == PASSED
    assert second == "The issue of 2026-12-06 is due in 6 d 23 h."


def test_a_schedule_that_keeps_its_rhythm_still_sends_a_late_issue() -> None:
    said = describe_outlook(kept(DUE - WEEK), [], now=DUE + HOUR)

    assert said[0] == (
        "The hour of 2026-11-29, Sun 2026-11-29 19:00, has passed:"
        " it still goes until Mon 2026-11-30 01:00."
    )


def test_past_its_grace_it_does_not() -> None:
    said = describe_outlook(kept(DUE - WEEK), [], now=DUE + 7 * HOUR)

    assert said[0] == PASSED


def test_a_draft_that_is_there_becomes_the_issue() -> None:
    said = outlook(DUE - HOUR, edition(EditionState.DRAFT))

    assert said[1] == "Edition 7 is its draft; no other is made."


def test_an_approved_edition_needs_no_more() -> None:
    said = outlook(DUE - HOUR, edition(EditionState.APPROVED))

    assert said[1:] == [
        "Edition 7 is its approved edition; no other is made.",
        "It is approved.",
    ]


def test_the_last_revision_of_a_date_counts() -> None:
    cancelled = replace(edition(EditionState.CANCELLED), id=6, revision=1)

    said = outlook(DUE - HOUR, edition(EditionState.DRAFT, revision=2), cancelled)

    assert said[1] == "Edition 7 is its draft; no other is made."


@pytest.mark.parametrize("state", [EditionState.SENT, EditionState.CANCELLED])
def test_an_issue_that_was_settled_by_hand_goes_no_more(state: EditionState) -> None:
    said = outlook(DUE - HOUR, edition(state))

    (sentence,) = said
    assert sentence.startswith(
        f"The issue of 2026-11-29 has edition 7 already, which is {state}:"
    )


def test_an_issue_that_went_is_not_called_passed() -> None:
    said = outlook(DUE + HOUR, edition(EditionState.SENDING))

    assert said[0] == "The issue of 2026-12-06 is due in 6 d 23 h."


def test_names_the_draft_that_fits_no_issue_of_another_rhythm() -> None:
    said = outlook(DUE - HOUR, edition(EditionState.DRAFT), rhythm=weekly(0))

    assert said[0] == (
        "Edition 7 (draft, of 2026-11-29) is of no issue to come:"
        " release or cancel it by hand."
    )


def test_names_the_draft_of_an_issue_that_is_skipped() -> None:
    said = outlook(
        DUE - HOUR, edition(EditionState.DRAFT), exceptions=(skipped(SUNDAY),)
    )

    assert any("is of no issue to come" in sentence for sentence in said)


def test_a_draft_of_an_issue_that_was_moved_is_its_draft() -> None:
    later = moved(SUNDAY, datetime.fromisoformat("2026-11-30 10:00"))

    said = outlook(DUE + HOUR, edition(EditionState.DRAFT), exceptions=(later,))

    assert said[:2] == [
        "The issue of 2026-11-29 is due in 14 h.",
        "Edition 7 is its draft; no other is made.",
    ]


def test_after_the_last_issue_nothing_is_said() -> None:
    assert outlook(DUE + 9 * WEEK, end_on=SUNDAY) == []


@pytest.mark.parametrize(
    ("length", "written"),
    [
        (timedelta(0), "0 min"),
        (timedelta(seconds=-5), "0 min"),
        (timedelta(minutes=45, seconds=20), "45 min"),
        (timedelta(hours=1, minutes=20), "1 h 20 min"),
        (timedelta(days=6, hours=23, minutes=59), "6 d 23 h"),
    ],
)
def test_writes_how_long_something_is_away(length: timedelta, written: str) -> None:
    assert write_span(length) == written
