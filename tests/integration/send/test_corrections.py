"""A mistake goes out: who is told, exactly, and what is called back."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import update

from digest.compose.approve import approve
from digest.compose.correct import correct
from digest.compose.draft import Composed
from digest.domain.editions import Edition
from digest.domain.errors import NotFoundError, RefusedError, StateError
from digest.domain.newsletters import Newsletter
from digest.domain.states import DeliveryState, EditionKind, EditionState
from digest.send import steering
from digest.send.steering import Recalled
from digest.send.worker import drain
from digest.storage import editions, tables
from digest.storage.engine import Database
from digest.templating import Templates
from tests.builders import NOW, SITE, add_newsletter
from tests.integration.compose.conftest import RELAYED
from tests.posting import (
    DESK,
    Inbox,
    add_edition,
    add_reader,
    audit_of,
    make_post,
    release_edition,
    states_of,
)
from tests.weeks import add_article

WORDS = "We wrote that the crossing opened. **It did not.**"
STATES = ["sent", "uncertain", "failed", "skipped", "queued", "deferred"]
TEMPLATES = Templates()


@pytest.fixture
def weekly(db: Database) -> Newsletter:
    newsletter = add_newsletter(db)
    for state in STATES:
        add_reader(db, newsletter, f"{state}@example.com")
    return newsletter


def send_wrong(
    db: Database, weekly: Newsletter, *, state: str = "cancelled", **changes: Any
) -> Edition:
    """An edition that went out, with one letter in each state."""
    edition = release_edition(db, add_edition(db, weekly, **changes))
    d = tables.deliveries.c
    with db.write() as tx:
        for name in STATES:
            tx.execute(
                update(tables.deliveries)
                .where(d.edition_id == edition.id, d.address == f"{name}@example.com")
                .values(state=name)
            )
        if state == "cancelled":
            tx.execute(
                update(tables.deliveries)
                .where(d.edition_id == edition.id, d.state.in_(["queued", "deferred"]))
                .values(state="skipped", reason="cancelled")
            )
        tx.execute(
            update(tables.editions)
            .where(tables.editions.c.id == edition.id)
            .values(state=state)
        )
        return editions.get(tx, edition.id)


def make_correction(db: Database, wrong: Edition, **changes: Any) -> Composed:
    values: dict[str, Any] = {
        "edition_id": wrong.id,
        "words": WORDS,
        "templates": TEMPLATES,
        "site": SITE,
        "actor": DESK,
        "now": NOW,
    }
    return correct(db, **(values | changes))


def let_go(db: Database, correction: Edition) -> Edition:
    approve(
        db,
        edition_id=correction.id,
        because="Urgent.",
        templates=TEMPLATES,
        site=SITE,
        posting=RELAYED,
        actor=DESK,
        now=NOW,
    )
    return release_edition(db, correction)


def recall(db: Database, edition: Edition) -> Recalled:
    return steering.recall(
        db, edition_id=edition.id, because="wrong", actor=DESK, now=NOW
    )


def addresses(db: Database, edition: Edition) -> Sequence[str]:
    return sorted(address.partition("@")[0] for address in states_of(db, edition))


def test_a_correction_goes_to_exactly_those_who_got_the_edition(
    db: Database, weekly: Newsletter
) -> None:
    wrong = send_wrong(db, weekly)
    add_reader(db, weekly, "later@example.com")

    released = let_go(db, make_correction(db, wrong).edition)

    assert addresses(db, released) == ["sent", "uncertain"]


def test_who_left_since_is_not_written_to(db: Database, weekly: Newsletter) -> None:
    wrong = send_wrong(db, weekly)
    s = tables.subscriptions.c
    with db.write() as tx:
        tx.execute(
            update(tables.subscriptions).where(s.id == 1).values(state="unsubscribed")
        )

    released = let_go(db, make_correction(db, wrong).edition)

    assert addresses(db, released) == ["uncertain"]


def test_it_is_an_edition_of_its_own_beside_the_issue(
    db: Database, weekly: Newsletter
) -> None:
    wrong = send_wrong(db, weekly)

    made = make_correction(db, wrong, signed="Mona")

    edition = made.edition
    assert (edition.kind, edition.corrects) == (EditionKind.CORRECTION, wrong.id)
    assert (edition.issue_date, edition.number, edition.revision) == (
        wrong.issue_date,
        wrong.number,
        1,
    )
    assert edition.subject == "Correction: Egypt refuses Rafah coordination: reports"
    assert edition.preheader == (
        "What was wrong in No. 19 of Sunday 12 May 2024, and what is right. With our "
        "apologies."
    )
    assert made.notes == (f"It is for 2 readers who got edition {wrong.id}.",)
    assert audit_of(db)[-1] == ("edition.composed", str(DESK))


@pytest.mark.parametrize(
    ("given", "becomes"),
    [
        ("The crossing", "Correction: The crossing"),
        ("Correction: The crossing", "Correction: The crossing"),
        ("word " * 20, "Correction: word word word word word word word word…"),
    ],
)
def test_its_subject_begins_with_a_word_of_its_own(
    db: Database, weekly: Newsletter, given: str, becomes: str
) -> None:
    made = make_correction(db, send_wrong(db, weekly), subject=given)

    assert made.edition.subject.startswith(becomes[:30])
    assert made.edition.subject.count("Correction:") == 1


async def test_its_letter_says_what_was_wrong_and_is_marked_as_a_correction(
    db: Database, weekly: Newsletter
) -> None:
    inbox = Inbox()
    story = add_article(db, weekly, title="The crossing stays shut")
    wrong = send_wrong(db, weekly)
    made = make_correction(db, wrong, articles=[story.id])
    let_go(db, made.edition)

    async with inbox.sink() as sink:
        await drain(make_post(db, sink.port), clock=lambda: NOW)

    letter = next(inbox.messages())
    html = letter.get_body(("html",))
    text = letter.get_body(("plain",))
    assert html is not None
    assert text is not None
    assert letter["Subject"].startswith("Correction: ")
    assert ":correction:" in letter["Feedback-ID"]
    for part in (html.get_content(), text.get_content()):
        assert "Correction to No. 19 of Sunday 12 May 2024" in part
        assert "It did not." in part
        assert "The crossing stays shut" in part
        assert "/archive/weekly/2024-05-12/correction" in part
        assert "/feedback/" not in part
    assert inbox.recipients() == ["sent@example.com", "uncertain@example.com"]


def test_it_waits_until_the_mistake_is_no_longer_being_sent(
    db: Database, weekly: Newsletter
) -> None:
    wrong = send_wrong(db, weekly, state="sending")
    made = make_correction(db, wrong)

    with pytest.raises(StateError, match="is still being sent") as refused:
        let_go(db, made.edition)

    assert "editions recall" in refused.value.mend
    assert "recall" in made.notes[1]
    recall(db, wrong)
    assert release_edition(db, made.edition).state == EditionState.SENDING


def test_nobody_is_told_who_is_no_reader_any_more(
    db: Database, weekly: Newsletter
) -> None:
    wrong = send_wrong(db, weekly)
    made = make_correction(db, wrong)
    with db.write() as tx:
        tx.execute(update(tables.subscriptions).values(state="unsubscribed"))

    with pytest.raises(StateError, match="Nobody who got edition"):
        let_go(db, made.edition)


def test_a_reader_of_bare_sections_gets_the_correction_too(db: Database) -> None:
    weekly = add_newsletter(db, when_empty="skip")
    add_reader(db, weekly, "sent@example.com")
    wrong = send_wrong(db, weekly)
    with db.write() as tx:
        tx.execute(update(tables.subscriptions).values(sections="arts"))
    story = add_article(db, weekly)

    released = let_go(db, make_correction(db, wrong, articles=[story.id]).edition)

    assert states_of(db, released) == {"sent@example.com": "queued"}


def test_a_second_correction_follows_the_first(
    db: Database, weekly: Newsletter
) -> None:
    wrong = send_wrong(db, weekly)
    first = make_correction(db, wrong).edition
    with pytest.raises(StateError, match=f"Edition {first.id} is to correct"):
        make_correction(db, wrong)
    let_go(db, first)

    second = make_correction(db, wrong).edition

    assert second.revision == 2


def test_what_nobody_got_needs_no_correction(db: Database, weekly: Newsletter) -> None:
    draft = add_edition(db, weekly)

    with pytest.raises(StateError, match="nobody has got it") as refused:
        make_correction(db, draft)

    assert refused.value.mend == f"Edit it: digest editions edit {draft.id}"


def test_a_correction_is_not_corrected(db: Database, weekly: Newsletter) -> None:
    wrong = send_wrong(db, weekly)
    correction = make_correction(db, wrong).edition

    with pytest.raises(StateError, match="is a correction itself"):
        make_correction(db, correction)


def test_its_stories_are_of_the_same_newsletter(
    db: Database, weekly: Newsletter
) -> None:
    other = add_newsletter(db, slug="daily", list_id="daily.news.example.test")
    foreign = add_article(db, other)
    wrong = send_wrong(db, weekly)

    with pytest.raises(RefusedError):
        make_correction(db, wrong, articles=[foreign.id])
    with pytest.raises(NotFoundError):
        make_correction(db, wrong, edition_id=99)


def test_recalling_keeps_what_is_not_yet_sent(db: Database, weekly: Newsletter) -> None:
    wrong = send_wrong(db, weekly, state="sending")

    effect = recall(db, wrong)

    assert effect == Recalled(skipped=2, under_way=0, sent=1, uncertain=1)
    states = states_of(db, wrong)
    assert states["queued@example.com"] == "skipped:cancelled"
    assert states["sent@example.com"] == DeliveryState.SENT
    assert audit_of(db)[-1] == ("edition.recalled", str(DESK))


@pytest.mark.parametrize("state", ["sent", "cancelled"])
def test_what_went_out_cannot_be_called_back(
    db: Database, weekly: Newsletter, state: str
) -> None:
    wrong = send_wrong(db, weekly, state=state)

    with pytest.raises(StateError, match="1 letters went out") as refused:
        recall(db, wrong)

    assert f"editions correct {wrong.id}" in refused.value.mend


def test_what_was_not_released_is_cancelled_instead(
    db: Database, weekly: Newsletter
) -> None:
    draft = add_edition(db, weekly)

    with pytest.raises(StateError, match="nothing of it went out") as refused:
        recall(db, draft)

    assert refused.value.mend == f"Run: digest editions cancel {draft.id}"
