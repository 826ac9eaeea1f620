"""A month of a weekly: one issue as it should be, and three weeks that go wrong."""

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.e2e.month import DESK, DUE, HOUR, Paper, paper
from tests.http_server import WebServer, running
from tests.posting import Inbox

ALICE, BOB = "alice@example.net", "bob@example.net"
SUNDAYS = [date(2024, 4, 14) + timedelta(days=7 * week) for week in range(4)]
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Month:
    """What was left of it."""

    paper: Paper
    seen: dict[str, object]


async def approve_by_mail(office: Paper, site: str, *, week: int) -> None:
    """The desk reads its mail an hour before, and presses the button."""
    await office.live(DUE[week] - HOUR)
    status = await asyncio.to_thread(office.press_button, site, "approve")
    assert status == 200


async def live_through(folder: Path, inbox: Inbox, seen: dict[str, object]) -> Paper:
    with running(WebServer()) as web:
        async with inbox.sink() as sink:
            with paper(folder, web, sink.port, inbox) as (office, site):
                await first_weeks(office, site, seen)
                await last_weeks(office, site, seen)
                seen["states"] = office.states()
                return office


async def first_weeks(office: Paper, site: str, seen: dict[str, object]) -> None:
    """One as it should be; one that nobody approves."""
    office.subscribe(ALICE)
    await approve_by_mail(office, site, week=0)
    await office.live(DUE[0] - MINUTE)
    seen["before its hour"] = office.mail(ALICE)
    await office.live(DUE[0])
    seen["at its hour"] = len(office.mail(ALICE))
    office.subscribe(BOB)
    await office.live(DUE[1] + 8 * HOUR)
    seen["unapproved"] = len(office.mail(ALICE))


async def last_weeks(office: Paper, site: str, seen: dict[str, object]) -> None:
    """One with a dead feed, a correction of the first, one with the process down."""
    office.press.broken.add("metro")
    await approve_by_mail(office, site, week=2)
    await office.live(DUE[2] + HOUR)
    seen["without metro"] = office.words(ALICE)
    office.press.broken.clear()
    office.correct(SUNDAYS[0], "The council sat for **eight** hours, not nine.")
    await office.live(DUE[2] + 2 * HOUR)
    seen["correction"] = office.words(ALICE)
    await approve_by_mail(office, site, week=3)
    office.sleep(DUE[3] + 2 * HOUR)
    seen["asleep"] = len(office.mail(ALICE))
    await office.live(DUE[3] + 2 * HOUR)
    await office.live(DUE[3] + 30 * HOUR)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Month:
    """Live through it once; the tests look at what it left."""
    inbox, seen = Inbox(), dict[str, object]()
    office = asyncio.run(live_through(tmp_path_factory.mktemp("month"), inbox, seen))
    return Month(paper=office, seen=seen)


def test_three_issues_and_a_correction_went_and_the_unapproved_one_waits(
    month: Month,
) -> None:
    assert month.seen["states"] == {
        SUNDAYS[0]: ["sent", "sent"],
        SUNDAYS[1]: ["draft"],
        SUNDAYS[2]: ["sent"],
        SUNDAYS[3]: ["sent"],
    }


def test_everybody_got_each_letter_once(month: Month) -> None:
    alice, bob = month.paper.mail(ALICE), month.paper.mail(BOB)

    assert len(alice) == 4
    assert [subject.startswith("Correction:") for subject in alice] == [
        *(False, False, True, False),
    ]
    assert bob == [alice[1], alice[3]]


def test_what_the_desk_approved_by_mail_went_at_its_hour(month: Month) -> None:
    assert month.seen["before its hour"] == []
    assert month.seen["at its hour"] == 1


def test_nobody_got_what_nobody_approved_and_the_desk_was_reminded(
    month: Month,
) -> None:
    reminders = [s for s in month.paper.mail(DESK) if "No. 2" in s]

    assert month.seen["unapproved"] == 1
    assert len(reminders) >= 3


def test_the_issue_of_the_dead_feed_went_without_it_and_the_desk_knows(
    month: Month,
) -> None:
    press, words = month.paper.press, str(month.seen["without metro"])

    assert press.title("main", DUE[2]) in words
    assert press.title("metro", DUE[2]) not in words
    assert any("metro" in words for words in month.paper.desk_letters())


def test_the_correction_said_what_is_right(month: Month) -> None:
    assert "eight hours, not nine" in str(month.seen["correction"]).replace("*", "")


def test_the_issue_went_late_when_the_process_had_been_down(month: Month) -> None:
    assert month.seen["asleep"] == 3
    assert len(month.paper.mail(ALICE)) == 4


def test_the_desk_was_told_how_each_issue_went(month: Month) -> None:
    told = [s for s in month.paper.mail(DESK) if " went" in s or "sent" in s]

    assert len(told) >= 3
