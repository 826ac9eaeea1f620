"""The desk's tables: links that live and die, letters once, and what came back."""

from datetime import timedelta

from sqlalchemy import insert, select, update

from digest.domain.reviews import DeskMail
from digest.domain.states import DeliveryState, SubscriptionState
from digest.storage import desk, tables
from digest.storage.engine import Database
from tests.builders import NOW, add_newsletter
from tests.posting import add_edition, add_readers, release_edition

HOUR = timedelta(hours=1)


def test_a_link_lives_longer_when_asked_again_in_its_time(db: Database) -> None:
    edition = add_edition(db, add_newsletter(db))
    with db.write() as tx:
        first, second = (
            desk.open_review(
                tx, edition_id=edition.id, address="a@b.test", now=at, until=until
            )
            for at, until in ((NOW, NOW + HOUR), (NOW + HOUR / 2, NOW + 2 * HOUR))
        )

    assert (second.id, second.valid_from) == (first.id, NOW)
    assert second.is_open(issued_at=NOW, now=NOW + 2 * HOUR)


def test_a_dead_link_stays_dead_when_asked_again_later(db: Database) -> None:
    edition = add_edition(db, add_newsletter(db))
    later = NOW + 3 * HOUR
    with db.write() as tx:
        found = [
            desk.open_review(
                tx, edition_id=edition.id, address="a@b.test", now=at, until=at + HOUR
            )
            for at in (NOW, later)
        ][-1]

    assert not found.is_open(issued_at=NOW, now=later)
    assert found.is_open(issued_at=later, now=later)


def test_a_shorter_time_takes_nothing_away(db: Database) -> None:
    edition = add_edition(db, add_newsletter(db))
    with db.write() as tx:
        found = [
            desk.open_review(
                tx,
                edition_id=edition.id,
                address="a@b.test",
                now=NOW,
                until=NOW + hours * HOUR,
            )
            for hours in (3, 1)
        ][-1]

    assert found.valid_until == NOW + 3 * HOUR


def test_each_letter_is_marked_once(db: Database) -> None:
    edition = add_edition(db, add_newsletter(db))
    with db.write() as tx:
        marked = [
            desk.mark_mailed(tx, edition.id, what, now=NOW)
            for what in (DeskMail.ASK, DeskMail.ASK, DeskMail.DUE)
        ]

    with db.read() as tx:
        assert desk.mailed(tx, edition.id) == {DeskMail.ASK: NOW, DeskMail.DUE: NOW}
    assert marked == [True, False, True]


def test_what_came_back_counts_the_readers_of_that_edition(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 6)
    edition = release_edition(db, add_edition(db, newsletter))
    add_readers(db, add_newsletter(db, slug="other"), 0)
    people, held = tables.subscribers.c, tables.subscriptions.c
    with db.write() as tx:
        hashes = list(tx.execute(select(people.address_hash)).scalars())
        tx.execute(
            insert(tables.suppressions),
            [
                {"address_hash": h, "reason": why, "detail": "", "at": NOW + HOUR * n}
                for h, why, n in (
                    (hashes[0], "bounce", 1),
                    (hashes[1], "complaint", 1),
                    (hashes[2], "bounce", -1),
                    ("f" * 64, "bounce", 1),
                )
            ],
        )
        for subscriber, hours in ((3, 1), (4, -1)):
            tx.execute(
                update(tables.subscriptions)
                .where(held.subscriber_id == subscriber)
                .values(state=SubscriptionState.UNSUBSCRIBED, since=NOW + hours * HOUR)
            )

    with db.read() as tx:
        assert desk.count_suppressed(tx, edition) == {"bounce": 1, "complaint": 1}
        assert desk.count_left(tx, edition) == 1


def test_failures_are_told_by_their_codes_alone(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 4)
    edition = release_edition(db, add_edition(db, newsletter))
    rows = tables.deliveries
    with db.write() as tx:
        for delivery, code in ((1, 550), (2, 550), (3, None)):
            tx.execute(
                update(rows)
                .where(rows.c.id == delivery)
                .values(
                    state=DeliveryState.FAILED,
                    smtp_code=code,
                    smtp_text="550 <r0@example.com> unknown",
                )
            )

    with db.read() as tx:
        found = desk.failures(tx, edition.id, limit=5)
    assert found == [("SMTP 550", 2), ("no answer", 1)]
