"""Approval: bound to exactly this content, and the renderings it freezes."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from digest.domain.errors import StateError
from digest.domain.states import EditionState
from digest.storage import editions, tables
from digest.templating import Letter, Templates, shipped
from tests.builders import NOW, add_newsletter
from tests.integration.compose.conftest import Desk
from tests.weeks import add_article


@pytest.fixture
def edition_id(desk: Desk) -> int:
    """A draft with a story of news and one of arts."""
    weekly = add_newsletter(desk.db)
    add_article(desk.db, weekly, title="The town council meets")
    add_article(desk.db, weekly, title="A tram driver’s songs", section="arts")
    return desk.compose().edition.id


class Watched(Templates):
    """The shipped templates; something else happens whenever a letter is rendered."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self.meanwhile = meanwhile

    def issue(self, name: str, *, language: str, context: Mapping[str, Any]) -> Letter:
        self.meanwhile()
        return super().issue(name, language=language, context=context)


def subscribe(desk: Desk, name: str, sections: str, letter_format: str) -> None:
    """An active reader, straight into the tables."""
    with desk.db.write() as tx:
        subscriber_id = tx.execute(
            insert(tables.subscribers)
            .values(
                address=f"{name}@reader.test",
                address_key=f"{name}@reader.test",
                domain="reader.test",
                address_hash=name,
                name="",
                created_at=NOW,
            )
            .returning(tables.subscribers.c.id)
        ).scalar_one()
        tx.execute(
            insert(tables.subscriptions).values(
                subscriber_id=subscriber_id,
                newsletter_id=1,
                state="active",
                sections=sections,
                format=letter_format,
                since=NOW,
                confirmed_at=NOW,
            )
        )


def test_keeps_who_approved_what_and_why(desk: Desk, edition_id: int) -> None:
    made = desk.approve(edition_id, because="The address is right for now.").edition

    assert made.state == EditionState.APPROVED
    assert made.approved_hash == made.content_hash
    assert (made.approved_by, made.approved_at) == ("operator:mona", NOW)
    assert made.approved_because == "The address is right for now."
    assert desk.audited()[-1] == "edition.approved"


def test_accepts_warnings_without_a_reason_but_says_so(
    desk: Desk, edition_id: int
) -> None:
    made = desk.approve(edition_id)

    assert "placeholder-sender" in {f.rule for f in made.accepted}
    assert made.edition.approved_because == "no reason given"


def test_refuses_an_edition_with_errors_and_counts_them(
    desk: Desk, edition_id: int
) -> None:
    desk.edit(edition_id, subject="", drop=[1, 2])

    with pytest.raises(
        StateError, match=r"an error \(1 more\): The subject"
    ) as refused:
        desk.approve(edition_id)

    assert f"editions check {edition_id}" in refused.value.mend


def test_approving_twice_changes_nothing(desk: Desk, edition_id: int) -> None:
    first = desk.approve(edition_id, because="Fine.").edition

    second = desk.approve(edition_id, because="Again.").edition

    assert second == first
    assert desk.audited().count("edition.approved") == 1


def test_a_reason_that_was_not_given_can_still_be_given(
    desk: Desk, edition_id: int
) -> None:
    first = desk.approve(edition_id).edition

    second = desk.approve(edition_id, because="A trial.").edition

    assert second.approved_because == "A trial."
    assert (second.state, second.approved_at) == (first.state, first.approved_at)
    assert desk.audited()[-1] == "edition.approval_explained"


def test_renders_while_others_write(desk: Desk, edition_id: int) -> None:
    subscribe(desk, "alice", "news", "html")
    rendered = []

    def write() -> None:
        with desk.db.write() as tx:
            rendered.append(editions.get(tx, edition_id).state)

    replace(desk, templates=Watched(write)).approve(edition_id)

    assert rendered == [EditionState.DRAFT] * 2


def test_freezes_what_is_there_though_it_changed_meanwhile(
    desk: Desk, edition_id: int
) -> None:
    changes = iter(["The council has met"])

    def change() -> None:
        for subject in changes:
            desk.edit(edition_id, subject=subject)

    replace(desk, templates=Watched(change)).approve(edition_id)

    assert {v.subject for v in desk.freeze(edition_id)} == {"The council has met"}


def test_freezes_html_and_text_even_before_the_first_reader(
    desk: Desk, edition_id: int
) -> None:
    desk.approve(edition_id)

    variants = desk.freeze(edition_id)

    assert [(v.sections, v.format) for v in variants] == [("", "html"), ("", "text")]
    assert [v.html is None for v in variants] == [False, True]


def test_freezes_what_each_reader_asked_for_and_keeps_what_is_frozen(
    desk: Desk, edition_id: int
) -> None:
    desk.approve(edition_id)
    before = desk.freeze(edition_id)
    subscribe(desk, "alice", "arts", "text")

    after = desk.freeze(edition_id)

    assert after[:2] == before
    assert (after[2].sections, after[2].format) == ("arts", "text")
    assert "songs" in after[2].text


def test_refuses_to_freeze_what_nobody_approved(desk: Desk, edition_id: int) -> None:
    with pytest.raises(StateError, match="is draft, not approved"):
        desk.freeze(edition_id)


def test_what_was_released_stays_as_it_is(desk: Desk, edition_id: int) -> None:
    approved = desk.approve(edition_id).edition
    with desk.db.write() as tx:
        editions.move(tx, approved, EditionState.SENDING, now=NOW, released_at=NOW)

    with pytest.raises(StateError, match="was released before: it is sending"):
        desk.freeze(edition_id)


def test_approval_dies_when_the_newsletter_changes(desk: Desk, edition_id: int) -> None:
    desk.approve(edition_id)
    with desk.db.write() as tx:
        tx.execute(update(tables.newsletters).values(postal_address="2 Press Street"))

    with pytest.raises(StateError, match="no longer what was approved"):
        desk.freeze(edition_id)


def test_approval_dies_when_a_template_changes_and_can_be_given_anew(
    desk: Desk, edition_id: int, tmp_path: Path
) -> None:
    approved = desk.approve(edition_id).edition
    shutil.copytree(shipped("templates"), tmp_path / "templates")
    with (tmp_path / "templates/email/classic/body.txt").open("a") as body:
        body.write("\nOne more line.\n")
    changed = Desk(desk.db, Templates(tmp_path / "templates"))

    with pytest.raises(StateError, match="no longer what was approved"):
        changed.freeze(edition_id)
    again = changed.approve(edition_id).edition

    assert again.approved_hash != approved.approved_hash
    with desk.db.read() as tx:
        texts = [v.text for v in editions.variants(tx, edition_id)]
    assert all("One more line." in text for text in texts)
