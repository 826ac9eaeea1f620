"""Editing: what changes, what it withdraws, what is refused."""

from typing import Any

import pytest

from digest.compose.edit import StoryWords
from digest.domain.errors import NotFoundError, StateError
from digest.domain.states import EditionState
from digest.storage import editions
from tests.builders import NOW, add_newsletter
from tests.integration.compose.conftest import Desk
from tests.weeks import PICKS, SPONSOR, SUPPORT, add_article


@pytest.fixture
def edition_id(desk: Desk) -> int:
    """A draft of articles 1 and 2 (news) and 3 (arts); 4 waits in the pool."""
    weekly = add_newsletter(desk.db)
    for number, section in enumerate(("news", "news", "arts", "news"), start=1):
        title = f"Story number {number}"
        article = add_article(desk.db, weekly, title=title, section=section)
        assert article.id == number
    return desk.compose(articles=[1, 2, 3]).edition.id


def test_sets_the_editors_words(desk: Desk, edition_id: int) -> None:
    made = desk.edit(
        edition_id,
        subject="A new\r\nsubject line",
        preheader="Plus: more",
        opening="One.\n\nTwo.",
        opening_by="Mona",
        why="Because.",
        sponsor=SPONSOR,
    ).edition

    assert (made.subject, made.preheader) == ("A new subject line", "Plus: more")
    assert (made.opening, made.opening_by) == ("One.\n\nTwo.", "Mona")
    assert (made.why, made.sponsor) == ("Because.", SPONSOR)
    assert desk.audited()[-1] == "edition.edited"


def test_takes_the_sponsor_out_again(desk: Desk, edition_id: int) -> None:
    desk.edit(edition_id, sponsor=SPONSOR)

    assert desk.edit(edition_id, no_sponsor=True).edition.sponsor is None


def test_sets_the_editors_blocks_and_takes_them_out_again(
    desk: Desk, edition_id: int
) -> None:
    made = desk.edit(edition_id, support=SUPPORT, picks=PICKS).edition
    emptied = desk.edit(edition_id, no_support=True, picks=()).edition

    assert (made.support, made.picks) == (SUPPORT, PICKS)
    assert (emptied.support, emptied.picks) == (None, ())


@pytest.mark.parametrize(
    "changes",
    [
        {"opening": "One *word*."},
        {"opening_by": "Mona"},
        {"why": "Because."},
        {"sponsor": SPONSOR},
        {"support": SUPPORT},
        {"picks": PICKS},
        {"stories": {1: StoryWords(caption="At dawn")}},
    ],
)
def test_every_word_of_the_editor_is_part_of_what_was_approved(
    desk: Desk, edition_id: int, changes: dict[str, Any]
) -> None:
    approved = desk.approve(edition_id).edition

    edited = desk.edit(edition_id, **changes).edition

    assert edited.content_hash != approved.content_hash
    assert edited.state == EditionState.DRAFT


@pytest.mark.parametrize(
    ("changes", "order"),
    [
        ({"lead": 3}, [3, 1, 2]),
        ({"drop": [1]}, [2, 3]),
        ({"drop": [1, 2, 3]}, []),
        ({"add": [4]}, [1, 2, 4, 3]),
        ({"moves": [(2, 1)]}, [2, 1, 3]),
        ({"moves": [(3, 2)]}, [1, 2, 3]),  # it stays in its section
        ({"add": [4], "drop": [2], "lead": 4, "moves": [(3, 1)]}, [3, 4, 1]),
    ],
)
def test_orders_stories(
    desk: Desk, edition_id: int, changes: dict[str, Any], order: list[int]
) -> None:
    desk.edit(edition_id, **changes)

    assert desk.carried(edition_id) == order


def test_proposed_words_follow_the_new_lead(desk: Desk, edition_id: int) -> None:
    made = desk.edit(edition_id, lead=3)

    assert made.edition.subject == "Story number 3"
    assert made.edition.preheader.startswith("Plus: Story number 1; Story number 2.")
    assert made.notes == ("The proposed subject follows the new lead: read it.",)


def test_the_proposed_reading_time_follows_the_words(
    desk: Desk, edition_id: int
) -> None:
    made = desk.edit(edition_id, opening="word " * 600)

    assert made.edition.preheader.endswith("3-minute read.")


def test_an_editors_own_words_stay_whatever_leads(desk: Desk, edition_id: int) -> None:
    desk.edit(edition_id, subject="My own subject", preheader="My own line")

    made = desk.edit(edition_id, lead=3)

    assert made.edition.subject == "My own subject"
    assert made.edition.preheader == "My own line"
    assert made.notes == ()


def test_says_that_why_it_matters_was_of_another_lead(
    desk: Desk, edition_id: int
) -> None:
    desk.edit(edition_id, subject="My own line", why="Because of the first.")

    left = desk.edit(edition_id, lead=2)
    renewed = desk.edit(edition_id, lead=1, why="Because of this one.")

    assert left.notes == ("“Why it matters” was written beside another lead: read it.",)
    assert renewed.notes == ()


def test_gives_a_story_new_words_and_leaves_the_article_alone(
    desk: Desk, edition_id: int
) -> None:
    words = StoryWords(
        title="New", standfirst="Short.", alt="A", credit="B", caption="C"
    )

    story = desk.edit(edition_id, stories={2: words}).stories[1]

    assert (story.title, story.standfirst) == ("New", "Short.")
    assert (story.image.alt, story.image.credit) == ("A", "B")
    assert story.caption == "C"
    assert story.section == "news"


def test_moves_a_story_to_another_section(desk: Desk, edition_id: int) -> None:
    desk.edit(edition_id, stories={2: StoryWords(section="features")})

    with desk.db.read() as tx:
        assert editions.stories(tx, edition_id)[1].section == "features"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lead": 4}, "does not carry article 4"),
        ({"drop": [4]}, "does not carry article 4"),
        ({"add": [1]}, "carries article 1 already"),
        ({"add": [99]}, "no article 99"),
        ({"moves": [(1, 9)]}, "no position 9"),
        ({"stories": {1: StoryWords(section="sport")}}, "no section 'sport'"),
    ],
)
def test_refuses_what_cannot_be(
    desk: Desk, edition_id: int, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises((NotFoundError, StateError), match=said):
        desk.edit(edition_id, **changes)


@pytest.mark.parametrize("scheduled", [False, True])
def test_a_change_withdraws_the_approval_and_its_renderings(
    desk: Desk, edition_id: int, *, scheduled: bool
) -> None:
    approved = desk.approve(edition_id).edition
    if scheduled:
        with desk.db.write() as tx:
            editions.move(
                tx, approved, EditionState.SCHEDULED, now=NOW, scheduled_at=NOW
            )

    edited = desk.edit(edition_id, why="Because.").edition

    assert edited.state == EditionState.DRAFT
    assert (edited.approved_hash, edited.scheduled_at) == (None, None)
    with desk.db.read() as tx:
        assert editions.variants(tx, edition_id) == []
    assert desk.audited()[-2:] == ["edition.approval_withdrawn", "edition.edited"]


def test_changing_nothing_withdraws_nothing(desk: Desk, edition_id: int) -> None:
    approved = desk.approve(edition_id).edition

    same = desk.edit(edition_id, subject=approved.subject, lead=1).edition

    assert same == approved


def test_a_cancelled_edition_cannot_be_edited(desk: Desk, edition_id: int) -> None:
    with desk.db.write() as tx:
        editions.move(tx, editions.get(tx, edition_id), EditionState.CANCELLED, now=NOW)

    with pytest.raises(StateError, match="is cancelled and cannot be changed"):
        desk.edit(edition_id, why="Because.")
