"""Composing: which week, which stories, which number, and what is refused."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from digest.domain.actor import Actor, ActorKind
from digest.domain.errors import NotFoundError, RefusedError, StateError
from digest.domain.rhythms import monthly
from digest.domain.states import EditionState
from digest.storage import editions
from digest.timetable import plans
from tests.builders import NOW, add_newsletter
from tests.calendars import CAIRO
from tests.integration.compose.conftest import Desk
from tests.weeks import ISSUE_DATE, RAFAH, add_article

DESK = Actor(kind=ActorKind.OPERATOR, name="mona")


def test_takes_the_stories_of_the_seven_days_that_end_today_in_cairo(
    desk: Desk,
) -> None:
    weekly = add_newsletter(desk.db)
    days = [ISSUE_DATE - timedelta(days=n) for n in (-1, 0, 6, 7)]
    made = [
        add_article(desk.db, weekly, title=f"Story of {day}", published_on=day).id
        for day in days
    ]

    composed = desk.compose()

    assert composed.edition.issue_date == ISSUE_DATE
    assert desk.carried(composed.edition.id) == [made[1], made[2]]


def test_an_issue_of_each_month_takes_the_stories_of_the_month(desk: Desk) -> None:
    weekly = add_newsletter(desk.db)
    plan = replace(CAIRO, rhythm=monthly(12))
    plans.set_schedule(desk.db, newsletter="weekly", plan=plan, actor=DESK, now=NOW)
    days = [date(2024, 4, 12), date(2024, 4, 13), date(2024, 5, 12)]
    made = [
        add_article(desk.db, weekly, title=f"Story of {day}", published_on=day).id
        for day in days
    ]

    composed = desk.compose(issue_date=days[-1])

    assert sorted(desk.carried(composed.edition.id)) == made[1:]


def test_proposes_subject_and_preheader_and_says_that_it_cut(desk: Desk) -> None:
    weekly = add_newsletter(desk.db)
    add_article(desk.db, weekly, title=RAFAH, featured=True)
    add_article(desk.db, weekly, title="A library on a bicycle")

    composed = desk.compose()

    subject = "Egypt Refuses Rafah Crossing Coordination: Reports"
    assert composed.edition.subject == subject
    assert composed.edition.preheader == (
        "Plus: A library on a bicycle. 1-minute read."
    )
    assert composed.notes == (
        f"The subject was made from the headline {RAFAH!r}: read it.",
    )
    assert desk.audited() == ["edition.composed"]


def test_numbers_count_up_and_no_story_is_proposed_twice(desk: Desk) -> None:
    weekly = add_newsletter(desk.db)
    first_story = add_article(desk.db, weekly, title="The first story of all").id
    first = desk.compose().edition
    second_story = add_article(desk.db, weekly, title="The second story of all").id

    second = desk.compose(issue_date=ISSUE_DATE + timedelta(days=1)).edition

    assert (first.number, second.number) == (1, 2)
    assert desk.carried(first.id) == [first_story]
    assert desk.carried(second.id) == [second_story]


def test_a_second_draft_of_an_issue_names_the_first_and_the_mend(desk: Desk) -> None:
    add_article(desk.db, add_newsletter(desk.db))
    first = desk.compose().edition

    with pytest.raises(StateError) as refused:
        desk.compose()

    assert f"edition {first.id} already; it is draft" in refused.value.message
    assert f"editions cancel {first.id}" in refused.value.mend


def test_after_a_cancelled_edition_comes_the_next_revision_of_the_same_number(
    desk: Desk,
) -> None:
    add_article(desk.db, add_newsletter(desk.db))
    first = desk.compose().edition
    with desk.db.write() as tx:
        editions.move(tx, first, EditionState.CANCELLED, now=NOW)

    second = desk.compose().edition

    assert (second.revision, second.number) == (2, first.number)
    assert desk.carried(second.id) == desk.carried(first.id)


def test_an_empty_week_is_refused_with_three_ways_out(desk: Desk) -> None:
    add_newsletter(desk.db)

    with pytest.raises(NotFoundError) as refused:
        desk.compose(issue_date=date(2024, 5, 12))

    assert "2024-05-06 to 2024-05-12" in refused.value.message
    assert "articles import" in refused.value.mend


def test_picks_are_taken_in_their_order_whatever_their_date(desk: Desk) -> None:
    weekly = add_newsletter(desk.db)
    old = add_article(desk.db, weekly, title="An old one", published_on=None).id
    new = add_article(desk.db, weekly, title="A new one").id

    composed = desk.compose(articles=[old, new, old])

    assert desk.carried(composed.edition.id) == [old, new]


def test_says_when_a_pick_was_carried_before(desk: Desk) -> None:
    story = add_article(desk.db, add_newsletter(desk.db), title="The town council").id
    desk.compose()

    again = desk.compose(articles=[story], issue_date=ISSUE_DATE + timedelta(days=1))

    assert again.notes == (f"Article {story} was in No. 1 already.",)


def test_refuses_picks_from_another_newsletters_pool(desk: Desk) -> None:
    add_newsletter(desk.db)
    other = add_newsletter(desk.db, slug="other")
    foreign = add_article(desk.db, other).id

    with pytest.raises(RefusedError, match="not in the pool of weekly"):
        desk.compose(articles=[foreign])


def test_a_refused_draft_leaves_nothing_behind(desk: Desk) -> None:
    add_newsletter(desk.db)

    with pytest.raises(NotFoundError):
        desk.compose(articles=[404])

    assert desk.audited() == []
