"""Preferences by the link in a letter: topics, format, pauses, export."""

from datetime import timedelta

import pytest

from digest.domain.actor import READER, SCHEDULE
from digest.domain.addresses import parse_address
from digest.domain.errors import RefusedError
from digest.domain.states import SuppressionReason
from digest.domain.subscribers import LetterFormat, Origin, Subscription
from digest.domain.tokens import Purpose
from digest.storage import subscriptions, suppressions, tables
from digest.storage.engine import Database
from digest.subscriptions import opt_in, preferences
from tests.builders import NOW, SECRETS, add_newsletter

ALICE = parse_address("alice@example.test")
WEEK = timedelta(weeks=1)


@pytest.fixture
def alice(sqlite_db: Database) -> Subscription:
    add_newsletter(sqlite_db)
    add_newsletter(sqlite_db, slug="arabic", name="الأسبوع", language="ar")
    return opt_in.record(
        sqlite_db,
        newsletter="weekly",
        address=ALICE,
        origin=Origin(source="cli", wording="Yes."),
        secrets=SECRETS,
        actor=READER,
        now=NOW,
    )


def link(held: Subscription) -> str:
    return SECRETS.tokens.issue(Purpose.PREFERENCES, held.id)


def save(db: Database, held: Subscription, *sections: str) -> Subscription | None:
    seen = preferences.save(
        db,
        token=link(held),
        sections=sections,
        letter_format=LetterFormat.TEXT,
        secrets=SECRETS,
        actor=READER,
        now=NOW,
    )
    return seen.subscription if seen else None


def pause(db: Database, held: Subscription, weeks: int = 4) -> Subscription | None:
    seen = preferences.pause(
        db, token=link(held), weeks=weeks, secrets=SECRETS, actor=READER, now=NOW
    )
    return seen.subscription if seen else None


def audited(db: Database) -> list[str]:
    with db.read() as tx:
        rows = tx.execute(tables.audit.select().order_by(tables.audit.c.id))
        return [row.action for row in rows]


def test_shows_what_a_reader_gets_and_could_get(
    sqlite_db: Database, alice: Subscription
) -> None:
    seen = preferences.look(sqlite_db, token=link(alice), secrets=SECRETS, now=NOW)

    assert seen is not None
    assert (seen.subscription, seen.masked) == (alice, "a•••@example.test")
    assert [other.slug for other in seen.others] == ["arabic"]


def test_saves_sections_sorted_and_the_format(
    sqlite_db: Database, alice: Subscription
) -> None:
    held = save(sqlite_db, alice, "news", "arts")

    assert held is not None
    assert (held.sections, held.format) == (("arts", "news"), "text")


def test_choosing_every_section_means_all(
    sqlite_db: Database, alice: Subscription
) -> None:
    held = save(sqlite_db, alice, "news", "features", "arts")

    assert held is not None
    assert held.sections == ()


def test_saving_the_same_again_is_audited_once(
    sqlite_db: Database, alice: Subscription
) -> None:
    save(sqlite_db, alice, "news")
    save(sqlite_db, alice, "news")

    assert audited(sqlite_db).count("subscription.changed") == 1


def test_refuses_a_section_and_a_pause_that_are_not_offered(
    sqlite_db: Database, alice: Subscription
) -> None:
    with pytest.raises(RefusedError):
        save(sqlite_db, alice, "sports")
    with pytest.raises(RefusedError):
        pause(sqlite_db, alice, weeks=5200)


def test_a_pause_can_be_lengthened_and_ended(
    sqlite_db: Database, alice: Subscription
) -> None:
    pause(sqlite_db, alice, weeks=4)
    longer = pause(sqlite_db, alice, weeks=8)
    ended = [
        preferences.resume(
            sqlite_db, token=link(alice), secrets=SECRETS, actor=READER, now=NOW
        )
        for _ in range(2)
    ]

    assert longer is not None
    assert longer.paused_until == NOW + 8 * WEEK
    assert [seen and seen.subscription.state for seen in ended] == ["active"] * 2
    assert audited(sqlite_db).count("subscription.resumed") == 1


def test_who_left_cannot_pause(sqlite_db: Database, alice: Subscription) -> None:
    with sqlite_db.write() as tx:
        subscriptions.unsubscribe(tx, alice, now=NOW)

    held = pause(sqlite_db, alice)

    assert held is not None
    assert held.state == "unsubscribed"


def test_pauses_end_when_they_are_due(sqlite_db: Database, alice: Subscription) -> None:
    pause(sqlite_db, alice)

    early = preferences.resume_due(sqlite_db, actor=SCHEDULE, now=NOW + 3 * WEEK)
    late = preferences.resume_due(sqlite_db, actor=SCHEDULE, now=NOW + 4 * WEEK)

    assert (early, late) == (0, 1)


def test_export_holds_everything_stored_about_a_reader(
    sqlite_db: Database, alice: Subscription
) -> None:
    with sqlite_db.write() as tx:
        suppressions.add(
            tx,
            address_hash=SECRETS.hash_address(ALICE.key),
            address=ALICE.address,
            reason=SuppressionReason.REQUEST,
            detail="",
            now=NOW,
        )

    document = preferences.export(
        sqlite_db, token=link(alice), secrets=SECRETS, now=NOW
    )

    assert document is not None
    assert document["address"] == ALICE.address
    assert document["subscriptions"][0]["newsletter"] == "weekly"
    assert document["consent"][0]["wording"] == "Yes."
    assert document["suppression"]["reason"] == "request"


@pytest.mark.parametrize("token", ["x", "unsubscribe", "gone"])
def test_no_other_link_opens_preferences(
    sqlite_db: Database, alice: Subscription, token: str
) -> None:
    tokens = {
        "unsubscribe": SECRETS.tokens.issue(Purpose.UNSUBSCRIBE, alice.id),
        "gone": SECRETS.tokens.issue(Purpose.PREFERENCES, 999),
    }
    text = tokens.get(token, token)

    seen = [
        preferences.look(sqlite_db, token=text, secrets=SECRETS, now=NOW),
        preferences.export(sqlite_db, token=text, secrets=SECRETS, now=NOW),
        preferences.resume(
            sqlite_db, token=text, secrets=SECRETS, actor=READER, now=NOW
        ),
    ]

    assert seen == [None] * 3
