"""Holding an edition: only a person lets it go again."""

import pytest

from digest.compose.approve import approve
from digest.compose.hold import hold
from digest.domain.actor import SCHEDULE
from digest.domain.editions import Edition
from digest.domain.errors import StateError
from digest.domain.states import EditionState
from digest.storage import editions
from tests.builders import NOW, SITE, add_newsletter
from tests.integration.compose.conftest import RELAYED, Desk
from tests.weeks import EDITOR, add_article


@pytest.fixture
def edition_id(desk: Desk) -> int:
    """A draft of one story."""
    weekly = add_newsletter(desk.db)
    add_article(desk.db, weekly, title="The town council meets")
    return desk.compose().edition.id


def held(desk: Desk, edition_id: int, because: str = "A  fact is wrong.") -> Edition:
    return hold(desk.db, edition_id=edition_id, because=because, actor=EDITOR, now=NOW)


def approve_by_schedule(desk: Desk, edition_id: int) -> None:
    approve(
        desk.db,
        edition_id=edition_id,
        because="",
        templates=desk.templates,
        site=SITE,
        posting=RELAYED,
        actor=SCHEDULE,
        now=NOW,
    )


def test_a_hold_takes_the_approval_back_and_says_who_and_why(
    desk: Desk, edition_id: int
) -> None:
    desk.approve(edition_id)

    edition = held(desk, edition_id)

    assert edition.state == EditionState.DRAFT
    assert (edition.held_by, edition.held_at) == ("operator:mona", NOW)
    assert edition.held_because == "A fact is wrong."
    assert desk.audited()[-2:] == ["edition.approval_withdrawn", "edition.held"]


def test_holding_twice_changes_nothing(desk: Desk, edition_id: int) -> None:
    first = held(desk, edition_id)

    assert held(desk, edition_id, because="Another reason.") == first
    assert desk.audited().count("edition.held") == 1


@pytest.mark.parametrize(
    ("because", "said"), [("A fact is wrong.", ": A fact is wrong."), ("", ".")]
)
def test_a_schedule_does_not_approve_what_is_held(
    desk: Desk, edition_id: int, because: str, said: str
) -> None:
    held(desk, edition_id, because)

    with pytest.raises(StateError) as refused:
        approve_by_schedule(desk, edition_id)

    assert refused.value.message == f"It is held by operator:mona{said}"


def test_a_person_lifts_the_hold_by_approving(desk: Desk, edition_id: int) -> None:
    held(desk, edition_id)

    edition = desk.approve(edition_id).edition

    assert edition.state == EditionState.APPROVED
    assert (edition.held_at, edition.held_by, edition.held_because) == (None,) * 3


def test_what_was_released_cannot_be_held(desk: Desk, edition_id: int) -> None:
    edition = desk.approve(edition_id).edition
    with desk.db.write() as tx:
        editions.move(tx, edition, EditionState.SENDING, now=NOW)

    with pytest.raises(StateError, match="sending and cannot be changed"):
        held(desk, edition_id)
