"""Subscribers, subscriptions, consents and suppressions, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from digest.domain.actor import READER
from digest.domain.addresses import parse_address
from digest.domain.errors import StateError
from digest.domain.states import SubscriptionState, SuppressionReason
from digest.domain.subscribers import (
    ConsentAction,
    LetterFormat,
    Origin,
    Subscription,
)
from digest.storage import consents, subscribers, subscriptions, suppressions
from digest.storage.engine import Database, Tx
from tests.builders import NOW, SECRETS, add_newsletter

ALICE = parse_address("Alice@example.test")
WEEK = timedelta(days=7)


def add_alice(tx: Tx) -> int:
    hashed = SECRETS.hash_address(ALICE.key)
    found = subscribers.add(tx, ALICE, name="Alice", address_hash=hashed, now=NOW)
    return found.id


def add_subscription(db: Database) -> Subscription:
    newsletter = add_newsletter(db)
    with db.write() as tx:
        return subscriptions.add(
            tx,
            subscriber_id=add_alice(tx),
            newsletter_id=newsletter.id,
            sections=("arts", "news"),
            letter_format=LetterFormat.TEXT,
            now=NOW,
        )


def test_one_address_is_one_reader_whatever_its_case(db: Database) -> None:
    with db.write() as tx:
        first = add_alice(tx)
        second = subscribers.add(
            tx,
            parse_address("ALICE@EXAMPLE.TEST"),
            name="Somebody else",
            address_hash="x",
            now=NOW + WEEK,
        )
        found = subscribers.find(tx, ALICE.key)

    assert (first, first) == (second.id, found.id if found else None)
    assert (second.address, second.name) == ("Alice@example.test", "Alice")


def test_a_reader_is_loaded_by_row_id(db: Database) -> None:
    with db.write() as tx:
        reader = add_alice(tx)

        loaded, locked = subscribers.get(tx, reader), subscribers.lock(tx, reader)

    assert loaded == locked
    assert loaded is not None
    assert loaded.created_at == NOW


def test_an_unknown_reader_is_none(db: Database) -> None:
    with db.write() as tx:
        found = [
            subscribers.find(tx, "nobody@example.test"),
            subscribers.get(tx, 1),
            subscribers.lock(tx, 1),
            subscriptions.get(tx, 1),
            subscriptions.find(tx, subscriber_id=1, newsletter_id=1),
            suppressions.find(tx, "0"),
        ]

    assert found == [None] * 6


def test_a_second_subscription_to_one_newsletter_is_the_first(db: Database) -> None:
    first = add_subscription(db)

    with db.write() as tx:
        second = subscriptions.add(
            tx,
            subscriber_id=first.subscriber_id,
            newsletter_id=first.newsletter_id,
            now=NOW + WEEK,
        )
        held = subscriptions.for_subscriber(tx, first.subscriber_id)

    assert second == first
    assert list(held) == [first]
    assert (first.state, first.sections) == ("pending", ("arts", "news"))


def test_opting_in_pausing_and_leaving_keep_their_times(db: Database) -> None:
    pending = add_subscription(db)

    with db.write() as tx:
        active = subscriptions.activate(tx, pending, now=NOW, confirmed_at=NOW)
        paused = subscriptions.pause(tx, active, until=NOW + WEEK, now=NOW)
        resumed = subscriptions.activate(tx, paused, now=NOW + WEEK)
        left = subscriptions.unsubscribe(tx, resumed, now=NOW + 2 * WEEK)
        again = subscriptions.await_confirmation(tx, left, now=NOW + 3 * WEEK)

    assert paused.paused_until == NOW + WEEK
    assert (resumed.paused_until, resumed.confirmed_at) == (None, NOW)
    assert (left.state, left.since) == ("unsubscribed", NOW + 2 * WEEK)
    assert again.state is SubscriptionState.PENDING


def test_refuses_a_move_the_states_do_not_allow(db: Database) -> None:
    pending = add_subscription(db)

    with db.write() as tx, pytest.raises(StateError, match="pending and cannot"):
        subscriptions.pause(tx, pending, until=NOW, now=NOW)


def test_refuses_a_move_from_a_state_that_is_no_longer_true(db: Database) -> None:
    pending = add_subscription(db)

    with db.write() as tx:
        subscriptions.activate(tx, pending, now=NOW, confirmed_at=NOW)
        with pytest.raises(StateError, match="meanwhile"):
            subscriptions.activate(tx, pending, now=NOW, confirmed_at=NOW)


def test_only_pauses_that_are_over_are_due(db: Database) -> None:
    pending = add_subscription(db)
    with db.write() as tx:
        active = subscriptions.activate(tx, pending, now=NOW, confirmed_at=NOW)
        subscriptions.pause(tx, active, until=NOW + WEEK, now=NOW)

    with db.read() as tx:
        early = subscriptions.due_to_resume(tx, now=NOW)
        late = subscriptions.due_to_resume(tx, now=NOW + WEEK)

    assert ([*early], [s.id for s in late]) == ([], [pending.id])


def test_choosing_changes_what_not_whether(db: Database) -> None:
    pending = add_subscription(db)

    with db.write() as tx:
        chosen = subscriptions.choose(
            tx, pending, sections=(), letter_format=LetterFormat.HTML
        )

    assert (chosen.sections, chosen.format) == ((), "html")
    assert (chosen.state, chosen.since) == (pending.state, pending.since)


def append(tx: Tx, reader: int, action: ConsentAction, days: int = 0) -> None:
    consents.append(
        tx,
        subscriber_id=reader,
        newsletter_id=None,
        action=action,
        origin=Origin(source="/", network="192.0.2.1", wording="Yes."),
        actor=READER,
        now=NOW + timedelta(days=days),
    )


def test_evidence_reads_back_in_order(db: Database) -> None:
    with db.write() as tx:
        reader = add_alice(tx)
        append(tx, reader, ConsentAction.CONFIRMED, days=1)
        append(tx, reader, ConsentAction.REQUESTED)

        rows = consents.for_subscriber(tx, reader)

    assert [row.action for row in rows] == ["requested", "confirmed"]
    assert rows[0].origin.wording == "Yes."
    assert rows[0].actor == "reader"


@pytest.mark.parametrize(
    "change", ["UPDATE consents SET wording=''", "DELETE FROM consents"]
)
def test_evidence_cannot_be_changed(db: Database, change: str) -> None:
    with db.write() as tx:
        append(tx, add_alice(tx), ConsentAction.REQUESTED)

    with pytest.raises(DBAPIError), db.write() as tx:
        tx.exec_driver_sql(change)


def test_counts_requests_since_the_last_opt_in(db: Database) -> None:
    with db.write() as tx:
        reader = add_alice(tx)
        none = consents.unanswered_requests(tx, reader, since=NOW)
        append(tx, reader, ConsentAction.REQUESTED)
        append(tx, reader, ConsentAction.CONFIRMED)
        append(tx, reader, ConsentAction.REQUESTED, days=3)
        append(tx, reader, ConsentAction.REQUESTED, days=5)

        two = consents.unanswered_requests(tx, reader, since=NOW)
        late = consents.unanswered_requests(tx, reader, since=NOW + timedelta(days=4))

    assert none == (0, None)
    assert two == (2, NOW + timedelta(days=5))
    assert late == (1, NOW + timedelta(days=5))


def suppress(tx: Tx, reason: SuppressionReason) -> bool:
    return suppressions.add(
        tx, address_hash="h", address="a@b.test", reason=reason, detail="", now=NOW
    )


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ("bounce", "request", "bounce"),
        ("request", "bounce", "bounce"),
        ("bounce", "complaint", "complaint"),
        ("complaint", "manual", "complaint"),
        ("bounce", "bounce", "bounce"),
    ],
)
def test_the_first_reason_stays_unless_a_stronger_comes(
    db: Database, first: str, second: str, kept: str
) -> None:
    with db.write() as tx:
        suppress(tx, SuppressionReason(first))

        changed = suppress(tx, SuppressionReason(second))

        found = suppressions.find(tx, "h")
    assert found is not None
    assert (found.reason, changed) == (kept, kept != first)


def test_a_suppression_can_be_taken_back(db: Database) -> None:
    with db.write() as tx:
        suppress(tx, SuppressionReason.MANUAL)

        gone, again = suppressions.remove(tx, "h"), suppressions.remove(tx, "h")

    assert (gone, again) == (True, False)
