"""Preferences by the link in a letter: topics, format, pauses, leaving everything."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from digest.domain.actor import READER, SCHEDULE
from digest.domain.addresses import parse_address
from digest.domain.errors import RefusedError
from digest.domain.subscribers import LetterFormat, Origin, Subscription
from digest.domain.tokens import Purpose
from digest.storage import consents, newsletters, subscribers, subscriptions, tables
from digest.storage.engine import Database
from digest.subscriptions import leaving_all, opt_in, preferences
from digest.subscriptions.preferences import Preferences
from tests.builders import NOW, SECRETS, add_newsletter

ALICE = parse_address("alice@example.test")
WEEK = timedelta(weeks=1)
PAGE = Origin(source="/preferences")
Act = Callable[..., Preferences | None]


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


def join(db: Database, slug: str, *, confirmed: bool = True) -> Subscription:
    """Give alice another newsletter, or have her wait for it."""
    with db.write() as tx:
        reader = subscribers.find(tx, ALICE.key)
        assert reader is not None
        held = subscriptions.add(
            tx,
            subscriber_id=reader.id,
            newsletter_id=newsletters.get(tx, slug).id,
            now=NOW,
        )
        if not confirmed:
            return held
        return subscriptions.activate(tx, held, now=NOW, confirmed_at=NOW)


def everything(db: Database, held: Subscription, act: Act) -> Preferences:
    seen = act(
        db, token=link(held), origin=PAGE, secrets=SECRETS, actor=READER, now=NOW
    )
    assert seen is not None
    return seen


def test_shows_every_newsletter_the_links_own_first(
    sqlite_db: Database, alice: Subscription
) -> None:
    arabic = join(sqlite_db, "arabic")
    add_newsletter(sqlite_db, slug="daily", name="The Day")
    join(sqlite_db, "daily", confirmed=False)

    seen = preferences.look(sqlite_db, token=link(arabic), secrets=SECRETS, now=NOW)

    assert seen is not None
    assert [one.newsletter.slug for one in seen.held] == ["arabic", "weekly"]
    assert [one.slug for one in seen.waiting] == ["daily"]
    assert seen.others == []


def test_changes_the_newsletter_that_is_named(
    sqlite_db: Database, alice: Subscription
) -> None:
    arabic = join(sqlite_db, "arabic")

    preferences.pause(
        sqlite_db,
        token=link(alice),
        newsletter="arabic",
        weeks=4,
        secrets=SECRETS,
        actor=READER,
        now=NOW,
    )

    with sqlite_db.read() as tx:
        after = [subscriptions.get(tx, held.id) for held in (alice, arabic)]
    assert [held and held.state for held in after] == ["active", "paused"]


def test_changes_no_newsletter_that_the_reader_has_not(
    sqlite_db: Database, alice: Subscription
) -> None:
    seen = preferences.pause(
        sqlite_db,
        token=link(alice),
        newsletter="arabic",
        weeks=4,
        secrets=SECRETS,
        actor=READER,
        now=NOW,
    )

    assert seen is not None
    assert [one.subscription.state for one in seen.held] == ["active"]


def test_leaving_everything_can_be_undone_as_it_was(
    sqlite_db: Database, alice: Subscription
) -> None:
    join(sqlite_db, "arabic")
    pause(sqlite_db, alice)

    left = everything(sqlite_db, alice, leaving_all.leave_all)
    back = everything(sqlite_db, alice, leaving_all.undo_all)

    assert (left.held, left.can_undo) == ([], True)
    assert [one.subscription.state for one in back.held] == ["paused", "active"]
    assert back.can_undo is False


def test_undoing_brings_back_nothing_that_was_left_before(
    sqlite_db: Database, alice: Subscription
) -> None:
    arabic = join(sqlite_db, "arabic")
    with sqlite_db.write() as tx:
        subscriptions.unsubscribe(tx, arabic, now=NOW - WEEK)

    everything(sqlite_db, alice, leaving_all.leave_all)
    back = everything(sqlite_db, alice, leaving_all.undo_all)

    assert [one.newsletter.slug for one in back.held] == ["weekly"]


def test_leaving_everything_is_consent_withdrawn(
    sqlite_db: Database, alice: Subscription
) -> None:
    join(sqlite_db, "arabic")

    everything(sqlite_db, alice, leaving_all.leave_all)
    everything(sqlite_db, alice, leaving_all.leave_all)

    with sqlite_db.read() as tx:
        rows = consents.for_subscriber(tx, alice.subscriber_id)
    assert sum(row.action == "withdrawn" for row in rows) == 2
    assert audited(sqlite_db).count("subscription.left") == 2


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
        preferences.resume(
            sqlite_db, token=text, secrets=SECRETS, actor=READER, now=NOW
        ),
        *(
            act(
                sqlite_db,
                token=text,
                origin=PAGE,
                secrets=SECRETS,
                actor=READER,
                now=NOW,
            )
            for act in (leaving_all.leave_all, leaving_all.undo_all)
        ),
    ]

    assert seen == [None] * 4
