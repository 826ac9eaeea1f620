"""`schedules …`: what operators and scripts see."""

import json
import zoneinfo
from collections.abc import Callable

import pytest

from tests.conftest import Ran

Cli = Callable[..., Ran]
SUNDAY_EVENING = ("schedules", "set", "weekly", "--at", "Sun 19:00")
CAIRO = (*SUNDAY_EVENING, "--zone", "Africa/Cairo")
NEXT = ("schedules", "next", "weekly", "--from", "2024-04-20", "--json")


@pytest.fixture
def desk(installed: Cli) -> Cli:
    """An installation whose weekly appears on Sunday evenings in Cairo."""
    assert installed(*CAIRO).status == 0
    return installed


def test_zones_come_from_the_pinned_package(desk: Cli) -> None:
    assert zoneinfo.TZPATH == ()


def test_next_is_an_array_of_issues_local_and_utc(desk: Cli) -> None:
    ran = desk(*NEXT, "--count", "2")

    assert ran.document == [
        {
            "newsletter": "weekly",
            "issue_date": "2024-04-21",
            "local": "2024-04-21T19:00:00+02:00",
            "utc": "2024-04-21T17:00:00+00:00",
            "note": "",
        },
        {
            "newsletter": "weekly",
            "issue_date": "2024-04-28",
            "local": "2024-04-28T19:00:00+03:00",
            "utc": "2024-04-28T16:00:00+00:00",
            "note": (
                "clocks in Africa/Cairo go forward 1 h on Fri 2024-04-26 at 00:00:"
                " 19:00 is 16:00 UTC, not 17:00"
            ),
        },
    ]


def test_next_without_a_newsletter_shows_all_in_order(desk: Cli) -> None:
    ran = desk("schedules", "next", "--from", "2024-04-20T00:00Z", "--count", "1")

    assert ran.out == (
        "weekly  2024-04-21  Sun 2024-04-21 19:00 EET = 2024-04-21 17:00 UTC\n"
    )


def test_set_says_what_happens_this_week(desk: Cli) -> None:
    ran = desk(*CAIRO, "--approval", "auto")

    first, *lines = ran.out.splitlines()
    assert first == "weekly  Sun 19:00 Africa/Cairo, by itself"
    facts, said = lines[:6], lines[6:]
    names = ["means", "collect", "again", "issue", "late", "if"]
    assert [line.split()[0] for line in facts] == names
    assert all(line.count("UTC") == 1 for line in facts[1:-1])
    assert any("It goes by itself" in line for line in said)


def test_set_keeps_what_happens_when_an_issue_is_not_as_it_should_be(
    desk: Cli,
) -> None:
    options = ("--unapproved", "skip", "--too-few", "short", "--least", "3")

    schedule = desk(*CAIRO, *options, "--collect-again", "0", "--json").document[
        "schedule"
    ]

    kept = {name: schedule[name] for name in ("unapproved", "too_few", "least")}
    assert kept == {"unapproved": "skip", "too_few": "short", "least": 3}
    assert schedule["collect_again"] == "0"


def test_set_says_what_an_unapproved_issue_becomes(desk: Cli) -> None:
    ran = desk(*CAIRO, "--unapproved", "skip")

    assert "  if       nobody approved it: it is left out" in ran.out.splitlines()


def test_nobody_asks_for_more_stories_than_a_letter_holds(desk: Cli) -> None:
    ran = desk(*CAIRO, "--least", "51")

    assert ran.status == 2
    assert "1 to 50" in ran.err


def test_set_answers_scripts_in_words_too(desk: Cli) -> None:
    ran = desk(*CAIRO, "--json")

    assert ran.document["schedule"]["words"] == "every Sunday at 19:00, Africa/Cairo"
    assert any("is due in" in sentence for sentence in ran.document["this_week"])


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("Mon,Thu 07:30", "every Monday and Thursday at 07:30, UTC"),
        ("first Sun 19:00", "on the first Sunday of each month at 19:00, UTC"),
        ("last Fri 18:00", "on the last Friday of each month at 18:00, UTC"),
        ("15th 09:00", "on the 15th of each month at 09:00, UTC"),
    ],
)
def test_set_takes_every_rhythm(desk: Cli, at: str, words: str) -> None:
    ran = desk("schedules", "set", "weekly", "--at", at, "--zone", "UTC", "--json")

    assert ran.document["schedule"]["at"] == at
    assert ran.document["schedule"]["words"] == words


def test_next_explains_each_change_of_the_clocks_in_sixty_weeks(desk: Cli) -> None:
    ran = desk(*NEXT, "--count", "60")

    notes = {item["issue_date"]: item["note"] for item in ran.document}
    assert len(notes) == 60
    assert {day: note for day, note in notes.items() if note} == {
        "2024-04-28": (
            "clocks in Africa/Cairo go forward 1 h on Fri 2024-04-26 at 00:00:"
            " 19:00 is 16:00 UTC, not 17:00"
        ),
        "2024-11-03": (
            "clocks in Africa/Cairo go back 1 h on Fri 2024-11-01 at 00:00:"
            " 19:00 is 17:00 UTC, not 16:00"
        ),
        "2025-04-27": (
            "clocks in Africa/Cairo go forward 1 h on Fri 2025-04-25 at 00:00:"
            " 19:00 is 16:00 UTC, not 17:00"
        ),
    }


def test_set_replaces_everything(desk: Cli) -> None:
    bounds = ("--start", "2026-11-29", "--end", "2027-11-28")
    waits = ("--approval", "auto", "--collect-before", "90m", "--grace", "1d")

    ran = desk(*CAIRO, *bounds, *waits, "--json")

    schedule = ran.document["schedule"]
    assert schedule.pop("id")
    assert schedule == {
        "newsletter": "weekly",
        "at": "Sun 19:00",
        "words": "every Sunday at 19:00, Africa/Cairo",
        "zone": "Africa/Cairo",
        "approval": "auto",
        "collect_before": "1h30m",
        "grace": "1d",
        "start": "2026-11-29",
        "end": "2027-11-28",
        "enabled": True,
        "exceptions": [],
        "trouble": None,
        "unapproved": "hold",
        "too_few": "hold",
        "least": 1,
        "collect_again": "15m",
        "alerts": [],
    }


def test_a_schedule_that_has_ended_says_so(desk: Cli) -> None:
    ran = desk(*CAIRO, "--start", "2020-01-01", "--end", "2020-02-01")

    assert ran.out.splitlines()[0].endswith("from 2020-01-01, until 2020-02-01")
    assert ran.out.splitlines()[1] == "No issue is due any more."


def test_list_shows_every_schedule(desk: Cli) -> None:
    lines, document = desk("schedules", "list").out, desk("schedules", "list", "--json")

    plan, policy = lines.splitlines()
    assert plan == "weekly  Sun 19:00 Africa/Cairo, approved by a person"
    assert policy.startswith("  if       nobody approved it: it waits until it is late")
    assert [item["newsletter"] for item in document.document["items"]] == ["weekly"]
    assert document.document["next"] is None


def test_list_shows_the_issues_to_come_that_are_not_as_usual(desk: Cli) -> None:
    desk("schedules", "move", "weekly", "2099-05-03", "--to", "20:30")
    desk("schedules", "skip", "weekly", "2099-05-10")
    desk("schedules", "skip", "weekly", "2024-01-07")

    ran = desk("schedules", "list")

    assert ran.out.splitlines()[2:] == [
        "  2099-05-03: moved to Sun 2099-05-03 20:30",
        "  2099-05-10: skipped",
    ]


def test_list_of_none_says_so(installed: Cli) -> None:

    ran = installed("schedules", "list")

    assert ran.out == "No newsletter has a schedule.\n"


def test_a_moved_issue_says_where_it_was(desk: Cli) -> None:
    ran = desk("schedules", "move", "weekly", "2024-04-21", "--to", "20:30", "--json")

    assert ran.document["utc"] == "2024-04-21T18:30:00+00:00"
    assert desk(*NEXT).document[0] == ran.document
    assert ran.document["note"] == "moved from 2024-04-21 19:00"


def test_a_move_to_a_time_that_has_passed_is_warned_of(desk: Cli) -> None:
    ran = desk("schedules", "move", "weekly", "2024-04-21", "--to", "20:30")

    assert ran.status == 0
    assert ran.err == "warning: That time has passed.\n"


def test_a_skipped_issue_is_due_no_more(desk: Cli) -> None:
    ran = desk("schedules", "skip", "weekly", "2024-04-21")

    assert ran.out == "weekly  2024-04-21 is skipped; the next is of 2024-04-28.\n"
    assert desk(*NEXT).document[0]["issue_date"] == "2024-04-28"
    assert desk(*NEXT).document[0]["note"].startswith("2024-04-21 is skipped; clocks")


def test_skipping_the_last_issue_leaves_none(desk: Cli) -> None:
    desk(*CAIRO, "--start", "2024-04-21", "--end", "2024-04-21")

    ran = desk("schedules", "skip", "weekly", "2024-04-21")

    assert ran.out == "weekly  2024-04-21 is skipped.\n"


def test_a_disabled_schedule_has_no_next_issue(desk: Cli) -> None:
    ran = desk("schedules", "disable", "weekly")

    assert ran.out == "weekly  disabled (was Sun 19:00 Africa/Cairo)\n"
    assert desk(*NEXT).document == []
    assert desk("schedules", "next").out == ran.out


@pytest.mark.parametrize(
    ("arguments", "status", "error", "mend"),
    [
        (
            (*SUNDAY_EVENING, "--zone", "Africa/Cario"),
            2,
            "There is no time zone 'Africa/Cario'.",
            "Did you mean Africa/Cairo?",
        ),
        (
            ("schedules", "set", "weekly", "--at", "Snu 19:00", "--zone", "UTC"),
            2,
            "'Snu' is no weekday.",
            "Did you mean Sun?",
        ),
        (
            ("schedules", "skip", "weekly", "2024-04-22"),
            2,
            "The schedule has no issue on 2024-04-22 (Monday).",
            "Nearest: 2024-04-21 and 2024-04-28.",
        ),
        (
            ("schedules", "move", "weekly", "2024-04-21", "--to", "2024-05-01 10:00"),
            1,
            "The issue of 2024-04-21 cannot overtake that of 2024-04-28.",
            "Choose a time before 2024-04-28 19:00.",
        ),
        (
            ("schedules", "move", "weekly", "2024-04-21", "--to", "25:00"),
            2,
            "'25:00' is no time of day between 00:00 and 23:59.",
            "Write it as 20:00.",
        ),
        (
            ("schedules", "next", "daily"),
            1,
            "There is no newsletter 'daily'.",
            "Known: weekly.",
        ),
    ],
)
def test_every_error_is_one_line_with_the_mend(
    desk: Cli, arguments: tuple[str, ...], status: int, error: str, mend: str
) -> None:
    ran = desk(*arguments, "--json")

    assert ran.status == status
    assert json.loads(ran.out) == {"error": error, "mend": mend}


def test_next_of_an_unscheduled_newsletter_names_the_command(installed: Cli) -> None:

    ran = installed("schedules", "next", "weekly")

    assert ran.status == 1
    assert "Set one: digest schedules set weekly" in ran.err
