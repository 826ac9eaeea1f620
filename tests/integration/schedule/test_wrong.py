"""When things are wrong with an issue: what its schedule's policies say happens."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from digest.compose.approve import approve
from digest.compose.edit import Changes, edit
from digest.domain.articles import Image
from digest.domain.calendar import Approval, ExceptionKind
from digest.domain.policies import Policies, TooFew, Unapproved
from digest.schedule import stages
from digest.schedule.turn import release_due
from digest.settings import FetchSettings
from digest.storage import alerts, editions, schedules, sightings, tables
from digest.timetable import issues
from tests.builders import NOW, SITE
from tests.drawings import chart, saved
from tests.http_server import Answer, Asked, WebServer, running
from tests.integration.schedule.newsroom import DESK, DUE, HOUR, SUNDAY, Newsroom
from tests.posting import notices_of

MINUTE = timedelta(minutes=1)
ASKED, AGAIN = DUE - 2 * HOUR, DUE - 15 * MINUTE


@pytest.fixture
def site() -> Iterator[WebServer]:
    with running(WebServer()) as served:
        served.routes["/story"] = Answer(body="<h1>The council met</h1>")
        yield served


@pytest.fixture
def near(room: Newsroom, site: WebServer) -> Newsroom:
    """A newsroom whose one story is on a page that can be looked at."""
    fetch = FetchSettings(allow_private=True)
    settings = room.service.settings.model_copy(update={"fetch": fetch})
    room.service = replace(room.service, settings=settings)
    with room.db.write() as tx:
        tx.execute(update(tables.articles).values(url=site.url("/story")))
    return room


def run(room: Newsroom, *moments: Any) -> None:
    for moment in moments:
        room.tick(moment)


def told(room: Newsroom) -> list[str]:
    """What the desk was told by mail, alert by alert."""
    return [n.text for n in notices_of(room.db) if n.kind == "desk-alert"]


def standing(room: Newsroom) -> list[tuple[str, str]]:
    with room.db.read() as tx:
        kept = schedules.get(tx, room.newsletter)
        found = alerts.of_issue(tx, schedule_id=kept.id, issue_date=SUNDAY)
    return [(a.kind.value, a.words) for a in found if a.settled_at is None]


def approve_by_hand(room: Newsroom, now: Any) -> None:
    (edition,) = room.editions()
    approve(
        room.db,
        edition_id=edition.id,
        because="read it",
        templates=room.service.templates,
        site=SITE,
        posting=room.service.posting(),
        actor=DESK,
        now=now,
    )


def no_stories(room: Newsroom) -> None:
    with room.db.write() as tx:
        tx.execute(update(tables.articles).values(published_on=None))


def test_an_issue_nobody_approved_waits_and_its_alert_is_listed(
    room: Newsroom,
) -> None:
    room.set(approval=Approval.REQUIRED)

    run(room, ASKED, DUE, DUE + HOUR)

    assert room.states() == ["draft"]
    assert ("blocked", "It was not approved by its hour.") in standing(room)


def test_an_issue_nobody_approved_is_left_out_where_the_policy_says_so(
    room: Newsroom,
) -> None:
    room.set(approval=Approval.REQUIRED, policies=Policies(unapproved=Unapproved.SKIP))

    run(room, ASKED, DUE - MINUTE)
    before = room.states()
    run(room, DUE, DUE + HOUR, DUE + 24 * HOUR)

    (exception,) = room.kept().plan.exceptions
    assert (before, room.states()) == (["draft"], ["cancelled"])
    assert (exception.issue_date, exception.kind) == (SUNDAY, ExceptionKind.SKIPPED)
    assert room.kept().trouble is None
    (letter,) = told(room)
    assert "Nobody approved it by its hour. The issue is left out." in letter
    assert room.actions()["schedule.skipped"] == 1


def test_an_approval_in_time_is_not_left_out(room: Newsroom) -> None:
    room.set(approval=Approval.REQUIRED, policies=Policies(unapproved=Unapproved.SKIP))
    room.tick(ASKED)
    approve_by_hand(room, DUE - MINUTE)

    room.tick(DUE)

    assert room.states() == ["sending"]


@pytest.mark.parametrize(
    ("policy", "state"),
    [
        (TooFew.HOLD, "draft"),
        (TooFew.SKIP, "cancelled"),
        (TooFew.SHORT, "sending"),
    ],
)
def test_an_issue_with_too_few_stories(
    room: Newsroom, policy: TooFew, state: str
) -> None:
    room.set(policies=Policies(too_few=policy, least=3))

    run(room, ASKED, DUE, DUE + HOUR)

    assert room.states() == [state]
    assert any("It has 1 story" in text for text in told(room)) is (
        policy is not TooFew.SHORT
    )


def test_stories_that_come_in_time_are_enough(room: Newsroom) -> None:
    room.set(policies=Policies(least=2, collect_again=30 * MINUTE))
    room.tick(ASKED)
    room.add_story(url="http://127.0.0.1:9/2", title="A second story", now=ASKED + HOUR)

    run(room, DUE - 20 * MINUTE, DUE)

    assert room.states() == ["sending"]


def test_a_person_may_let_few_stories_go(room: Newsroom) -> None:
    room.set(policies=Policies(least=3))
    run(room, ASKED, DUE)
    approve_by_hand(room, DUE + HOUR)

    room.tick(DUE + HOUR)

    assert room.states() == ["sending"]
    assert standing(room) == []


@pytest.mark.parametrize("policy", TooFew)
def test_an_issue_without_any_story(room: Newsroom, policy: TooFew) -> None:
    no_stories(room)
    room.set(policies=Policies(too_few=policy))

    run(room, ASKED, DUE, DUE + HOUR)

    skipped = [e.issue_date for e in room.kept().plan.exceptions]
    assert skipped == ([SUNDAY] if policy is TooFew.SKIP else [])
    assert room.editions() == []
    assert "It has no story" in told(room)[0]
    assert len(told(room)) == 1 + (policy is TooFew.SKIP)


def test_a_source_that_is_down_is_told_by_mail_in_the_question_and_in_the_list(
    room: Newsroom,
) -> None:
    room.set(approval=Approval.REQUIRED)
    room.add_source("http://127.0.0.1:9/feed")

    room.tick(ASKED)

    (question,) = [n for n in notices_of(room.db) if n.kind == "desk-ask"]
    words = "The source http://127.0.0.1:9/feed could not be read"
    assert room.states() == ["draft"]
    assert len(told(room)) == 1
    assert all(
        words in " ".join(text.split()) for text in (told(room)[0], question.text)
    )
    assert "source" in [kind for kind, _ in standing(room)]


def test_a_source_that_is_up_again_before_the_hour_is_no_alert_any_more(
    near: Newsroom, site: WebServer
) -> None:
    near.set(approval=Approval.REQUIRED)
    near.add_source(site.url("/feed"))
    near.tick(ASKED)
    down = [kind for kind, _ in standing(near)]
    site.routes["/feed"] = Answer(
        body='<rss version="2.0"><channel><title>News</title></channel></rss>'
    )

    near.tick(AGAIN)

    assert (down, standing(near)) == (["source"], [])


def test_new_stories_come_into_a_draft_that_nobody_touched(near: Newsroom) -> None:
    near.set()
    near.tick(ASKED)
    near.add_story(title="News of the last hour", url=None, now=ASKED + HOUR)

    run(near, AGAIN, DUE)

    (edition,) = near.editions()
    with near.db.read() as tx:
        c = tables.stories.c
        titles = tx.execute(select(c.title).where(c.edition_id == edition.id))
        assert "News of the last hour" in set(titles.scalars())
    assert near.states() == ["sending"]


def test_new_stories_are_told_where_somebody_touched_the_draft(near: Newsroom) -> None:
    near.set()
    near.tick(ASKED)
    (edition,) = near.editions()
    edit(
        near.db,
        edition_id=edition.id,
        changes=Changes(subject="My own words"),
        templates=near.service.templates,
        site=SITE,
        actor=DESK,
        now=ASKED,
    )
    near.add_story(title="News of the last hour", url=None, now=ASKED + HOUR)

    near.tick(AGAIN)

    assert (
        "news",
        "“News of the last hour” came in after the draft and is not in it.",
    ) in (standing(near))
    assert near.editions()[0].subject == "My own words"
    assert told(near) == []


def test_stories_that_are_as_they_were_go(near: Newsroom) -> None:
    near.set()

    run(near, ASKED, AGAIN, DUE)

    assert near.states() == ["sending"]
    assert told(near) == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(status=404), "its page is gone (404)"),
        (Answer(status=410), "its page is gone (410)"),
        (Answer(body="<h1>The council did not meet</h1>"), "The council did not meet"),
    ],
)
def test_a_story_that_was_changed_since_the_draft_holds_the_issue(
    near: Newsroom, site: WebServer, answer: Answer, words: str
) -> None:
    near.set()
    near.tick(ASKED)
    site.routes["/story"] = answer

    run(near, AGAIN, DUE, DUE + HOUR)

    assert near.states() == ["draft"]
    assert near.editions()[0].held_by == "schedule"
    assert words in " ".join(told(near)[0].split())
    assert "/review/" in told(near)[0]


def test_a_headline_that_the_source_changed_holds_the_issue(near: Newsroom) -> None:
    near.set(approval=Approval.REQUIRED)
    near.tick(ASKED)
    approve_by_hand(near, ASKED)
    with near.db.write() as tx:
        tx.execute(update(tables.articles).values(title="It did not meet"))

    run(near, AGAIN, DUE)

    assert near.states() == ["draft"]
    assert "its source now calls it “It did not meet”" in " ".join(
        told(near)[0].split()
    )


def test_a_person_who_saw_the_change_may_let_it_go(
    near: Newsroom, site: WebServer
) -> None:
    near.set()
    near.tick(ASKED)
    site.routes["/story"] = Answer(status=404)
    run(near, AGAIN, DUE)
    approve_by_hand(near, DUE + HOUR)

    near.tick(DUE + HOUR)

    assert near.states() == ["sending"]
    assert len(told(near)) == 1


def test_a_page_that_cannot_be_reached_holds_nothing(
    near: Newsroom, site: WebServer
) -> None:
    near.set()
    near.tick(ASKED)
    site.routes["/story"] = Answer(status=503)

    near.tick(AGAIN)
    unseen = [kind for kind, _ in standing(near)]
    near.tick(DUE)

    assert unseen == ["unseen"]
    assert near.states() == ["sending"]
    assert told(near) == []


def test_a_host_that_slept_looks_stories_up_at_the_hour_itself(
    near: Newsroom, site: WebServer
) -> None:
    near.set()
    near.tick(ASKED)
    site.routes["/story"] = Answer(status=404)

    near.tick(DUE + HOUR)

    assert near.states() == ["draft"]


def test_what_a_process_that_died_composed_gets_its_pictures_before_the_desk_is_asked(
    near: Newsroom, site: WebServer
) -> None:
    near.set()
    site.routes["/a.png"] = Answer(body=saved(chart(), "PNG"))
    near.add_story(title="A story with a picture", image=Image(url=site.url("/a.png")))
    stages.compose(near.service, near.newsletter, SUNDAY, ASKED)

    run(near, ASKED, ASKED + MINUTE)

    with near.db.read() as tx:
        (edition,) = near.editions()
        pictures = [s.picture for s in editions.stories(tx, edition.id) if s.image.url]
        seen = sightings.load(tx, edition.id)
    assert [picture is not None for picture in pictures] == [True]
    assert len(seen) == 1
    assert [n.kind for n in notices_of(near.db)] == ["desk-ask"]


def test_a_host_that_slept_through_the_looking_up_sends_nothing_late(
    near: Newsroom, site: WebServer
) -> None:
    near.set(policies=Policies(collect_again=timedelta(0)))
    run(near, ASKED)
    shown = [DUE]
    service = replace(near.service, clock=lambda: shown[0])

    def sleep(_: Asked) -> Answer:
        shown[0] = DUE + 7 * HOUR
        return Answer(body="<h1>The council met</h1>")

    site.routes["/story"] = sleep
    release_due(service, DUE)

    assert near.states() == ["draft"]
    assert near.asked_dates() == [SUNDAY]


def test_stories_of_an_issue_that_was_moved_are_looked_up_again(
    near: Newsroom, site: WebServer
) -> None:
    near.set()
    run(near, ASKED, AGAIN)
    later = DUE + 48 * HOUR
    local = (later + 3 * HOUR).replace(tzinfo=None)  # in Cairo
    issues.move_issue(
        near.db, newsletter="weekly", issue_date=SUNDAY, to=local, actor=DESK, now=AGAIN
    )
    site.routes["/story"] = Answer(status=410)

    run(near, later - 15 * MINUTE, later)

    assert near.states() == ["draft"]
    assert "its page is gone (410)" in " ".join(told(near)[0].split())


def test_sources_of_an_issue_that_was_moved_are_read_again(
    near: Newsroom, site: WebServer
) -> None:
    near.set()
    site.routes["/feed"] = Answer(status=500)
    near.add_source(site.url("/feed"))
    run(near, ASKED, AGAIN)
    later = DUE + 48 * HOUR
    local = (later + 3 * HOUR).replace(tzinfo=None)  # in Cairo
    issues.move_issue(
        near.db, newsletter="weekly", issue_date=SUNDAY, to=local, actor=DESK, now=AGAIN
    )
    before = [asked.path for asked in site.asked].count("/feed")

    run(near, later - 15 * MINUTE)

    assert [asked.path for asked in site.asked].count("/feed") == before + 1


def test_preflight_errors_are_mailed_once_at_the_hour(room: Newsroom) -> None:
    room.set()
    with room.db.write() as tx:
        tx.execute(update(tables.newsletters).values(postal_address=""))

    run(room, ASKED, AGAIN, DUE, DUE + MINUTE, DUE + HOUR)

    (letter,) = told(room)
    assert "It did not go at its hour. Preflight found an error" in " ".join(
        letter.split()
    )


def test_a_late_issue_is_asked_about_by_mail_once(room: Newsroom) -> None:
    room.set()

    for hours in (7, 8, 24):
        room.tick(DUE + hours * HOUR)

    (letter,) = told(room)
    assert "past its grace" in " ".join(letter.split())
    assert [kind for kind, _ in standing(room)] == ["late"]


def test_what_is_released_has_no_alerts(room: Newsroom) -> None:
    room.set(approval=Approval.REQUIRED)
    run(room, ASKED, DUE)
    approve_by_hand(room, DUE + HOUR)

    run(room, DUE + HOUR, DUE + HOUR + MINUTE)

    assert room.states() == ["sending"]
    assert standing(room) == []


def test_a_schedule_keeps_its_policies(room: Newsroom) -> None:
    policies = Policies(
        unapproved=Unapproved.SKIP,
        too_few=TooFew.SHORT,
        least=4,
        collect_again=5 * MINUTE,
    )

    kept = room.set(now=NOW, policies=policies)

    assert kept.plan.policies == policies
