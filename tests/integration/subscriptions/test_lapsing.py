"""What was never confirmed lapses, and its address is forgotten."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from digest.domain.actor import READER, SCHEDULE, Actor
from digest.domain.addresses import parse_address
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import Origin
from digest.domain.tokens import Purpose
from digest.storage import subscribers, subscriptions, suppressions, tables
from digest.storage.engine import Database
from digest.subscriptions import declining, leave, opt_in, sign_up
from digest.subscriptions.lapsing import lapse
from digest.subscriptions.sign_up import SignUp
from digest.templating import Templates
from tests.builders import NOW, SECRETS, SITE, add_newsletter
from tests.integration.subscriptions.common import CLI

DAY = timedelta(days=1)
BOB = "bob@example.test"
ORIGIN = Origin(source="/subscribe", wording="Yes.")


@pytest.fixture
def weekly(db: Database) -> Newsletter:
    return add_newsletter(db)


def ask(
    db: Database, at: datetime = NOW, slug: str = "weekly", actor: Actor = READER
) -> SignUp:
    return sign_up.request(
        db,
        newsletter=slug,
        address=parse_address(BOB),
        origin=ORIGIN,
        site=SITE,
        secrets=SECRETS,
        templates=Templates(),
        actor=actor,
        now=at,
    )


def with_token(db: Database, stage: Any, purpose: Purpose, at: datetime) -> None:
    arguments: dict[str, Any] = {
        "token": SECRETS.tokens.issue(purpose, 1, at=NOW),
        "origin": ORIGIN,
        "secrets": SECRETS,
        "actor": READER,
        "now": at,
    }
    if stage is opt_in.confirm:
        arguments |= {"site": SITE, "templates": Templates()}
    stage(db, **arguments)


def lapse_at(db: Database, at: datetime) -> int:
    return lapse(db, before=at - 30 * DAY, actor=SCHEDULE, now=at)


def state_of(db: Database, subscription_id: int = 1) -> str:
    with db.read() as tx:
        held = subscriptions.get(tx, subscription_id)
        assert held is not None
        return held.state


def is_known(db: Database) -> bool:
    with db.read() as tx:
        return subscribers.find(tx, BOB) is not None


def test_after_its_days_an_unconfirmed_address_is_forgotten(
    db: Database, weekly: Newsletter
) -> None:
    ask(db)

    early = lapse_at(db, NOW + 30 * DAY)
    late = lapse_at(db, NOW + 31 * DAY)
    again = lapse_at(db, NOW + 32 * DAY)

    with db.read() as tx:
        rows = [
            str(row)
            for t in tables.metadata.sorted_tables
            for row in tx.execute(t.select())
        ]
        suppressed = suppressions.find(tx, SECRETS.hash_address(BOB))
        audited = [row.action for row in tx.execute(tables.audit.select())]
    assert (early, late, again) == (0, 1, 0)
    assert not any("bob@" in row for row in rows)
    assert suppressed is None
    assert audited[-2:] == ["subscription.lapsed", "subscriber.forgotten"]


def test_the_last_request_counts(db: Database, weekly: Newsletter) -> None:
    ask(db)
    ask(db, NOW + 20 * DAY)

    lapsed = [lapse_at(db, NOW + days * DAY) for days in (31, 51)]

    assert lapsed == [0, 1]


def test_the_address_may_sign_up_anew(db: Database, weekly: Newsletter) -> None:
    ask(db)
    lapse_at(db, NOW + 31 * DAY)

    assert ask(db, NOW + 32 * DAY) is SignUp.MAILED


def test_what_was_confirmed_stays(db: Database, weekly: Newsletter) -> None:
    ask(db)
    with_token(db, opt_in.confirm, Purpose.CONFIRM, NOW + DAY)

    lapsed = lapse_at(db, NOW + 31 * DAY)

    assert (lapsed, state_of(db)) == (0, "active")


def test_a_reader_of_another_newsletter_is_not_forgotten(
    db: Database, weekly: Newsletter
) -> None:
    add_newsletter(db, slug="monthly")
    ask(db)
    with_token(db, opt_in.confirm, Purpose.CONFIRM, NOW)
    ask(db, NOW, "monthly")

    lapsed = lapse_at(db, NOW + 31 * DAY)

    assert (lapsed, state_of(db, 1), state_of(db, 2)) == (1, "active", "unsubscribed")
    assert is_known(db)


def test_who_left_and_was_asked_again_has_left(
    db: Database, weekly: Newsletter
) -> None:
    """Their consent is evidence that is kept with its address."""
    ask(db)
    with_token(db, opt_in.confirm, Purpose.CONFIRM, NOW)
    with_token(db, leave.by_token, Purpose.UNSUBSCRIBE, NOW + DAY)
    ask(db, NOW + 2 * DAY)

    lapsed = lapse_at(db, NOW + 33 * DAY)

    assert (lapsed, state_of(db), is_known(db)) == (1, "unsubscribed", True)


def test_who_declined_and_was_asked_again_by_the_operator_is_remembered(
    db: Database, weekly: Newsletter
) -> None:
    ask(db)
    with_token(db, declining.decline, Purpose.CONFIRM, NOW)
    ask(db, NOW + DAY, actor=CLI)

    lapsed = lapse_at(db, NOW + 32 * DAY)

    assert (lapsed, is_known(db)) == (1, True)
    assert ask(db, NOW + 33 * DAY) is SignUp.SUPPRESSED


def test_many_are_ended_in_turns(db: Database, weekly: Newsletter) -> None:
    ask(db)
    with db.write() as tx:
        for number in range(4):
            address = parse_address(f"r{number}@example.test")
            reader = subscribers.add(
                tx, address, name="", address_hash=address.key, now=NOW
            )
            subscriptions.add(
                tx, subscriber_id=reader.id, newsletter_id=weekly.id, now=NOW
            )

    late = NOW + 31 * DAY
    counts = [
        lapse(db, before=NOW + DAY, actor=SCHEDULE, now=late, limit=3) for _ in "12"
    ]

    assert counts == [3, 2]
