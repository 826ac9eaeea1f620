"""What a zone's clocks do to issues is said in words."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from itertools import pairwise

import pytest

from digest.domain.calendar import issue_of, issues_between, next_issues
from digest.domain.clock_changes import describe_change
from tests.calendars import CAIRO, WEEK, skipped

START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "at", "day", "note"),
    [
        (
            "Africa/Cairo",
            time(19, 0),
            "2026-04-26",
            (
                "clocks in Africa/Cairo go forward 1 h on Fri 2026-04-24 at 00:00:"
                " 19:00 is 16:00 UTC, not 17:00"
            ),
        ),
        (
            "Africa/Cairo",
            time(19, 0),
            "2026-11-01",
            (
                "clocks in Africa/Cairo go back 1 h on Fri 2026-10-30 at 00:00:"
                " 19:00 is 17:00 UTC, not 16:00"
            ),
        ),
        (
            "Australia/Lord_Howe",
            time(9, 0),
            "2026-04-05",
            (
                "clocks in Australia/Lord_Howe go back 30 min on Sun 2026-04-05 at"
                " 02:00: 09:00 is 22:30 UTC, not 22:00"
            ),
        ),
        (
            "Europe/Berlin",
            time(2, 30),
            "2026-03-29",
            (
                "clocks in Europe/Berlin go forward 1 h on Sun 2026-03-29 at 02:00:"
                " 03:00 is 01:00 UTC, not 02:00; 2026-03-29 02:30 does not exist in"
                " Europe/Berlin: 2026-03-29 03:00 instead"
            ),
        ),
        (
            "Pacific/Apia",
            time(12, 0),
            "2012-01-01",
            (
                "clocks in Pacific/Apia go forward 24 h on Fri 2011-12-30 at 00:00:"
                " 2012-01-01 12:00 is 2011-12-31 22:00 UTC, not 2012-01-01 22:00"
            ),
        ),
        (
            "America/New_York",
            time(1, 30),
            "2026-11-01",
            "2026-11-01 01:30 happens twice in America/New_York: the first one counts",
        ),
        (
            "America/New_York",
            time(1, 30),
            "2026-11-08",
            (
                "clocks in America/New_York go back 1 h on Sun 2026-11-01 at 02:00:"
                " 01:30 is 06:30 UTC, not 05:30"
            ),
        ),
        ("Asia/Riyadh", time(19, 0), "2026-04-26", ""),
    ],
)
def test_says_in_words_what_the_clocks_do_to_an_issue(
    zone: str, at: time, day: str, note: str
) -> None:
    schedule = replace(CAIRO, zone=zone, at=at)

    issue = issue_of(schedule, date.fromisoformat(day))

    assert issue.note == note


def test_every_week_in_which_the_clocks_changed_says_so() -> None:
    found = issues_between(CAIRO, START, START + 520 * WEEK)

    for before, issue in pairwise(found):
        has_changed = before.local.utcoffset() != issue.local.utcoffset()
        assert ("clocks in" in issue.note) == has_changed
    assert sum("clocks in" in issue.note for issue in found) == 20


def test_an_issue_after_a_skipped_one_tells_of_its_change_too() -> None:
    changed = date(2026, 4, 26)
    schedule = replace(CAIRO, exceptions=(skipped(changed),))

    (issue,) = next_issues(schedule, datetime(2026, 4, 20, tzinfo=UTC))

    assert "clocks in Africa/Cairo go forward 1 h" in issue.note


def test_the_first_issue_compares_itself_with_none() -> None:
    schedule = replace(CAIRO, start_on=date(2026, 4, 26))

    assert issue_of(schedule, date(2026, 4, 26)).note == ""


def test_several_changes_in_between_are_all_named() -> None:
    before, due = (datetime(2014, month, 1, 17, tzinfo=UTC) for month in (5, 9))

    said = describe_change(before, due, "Africa/Cairo")

    assert said == (
        "clocks in Africa/Cairo go forward 1 h on Fri 2014-05-16 at 00:00"
        " and back 1 h on Fri 2014-06-27 at 00:00"
        " and forward 1 h on Fri 2014-08-01 at 00:00: 20:00 is 17:00 UTC, not 18:00"
    )
