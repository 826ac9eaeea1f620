"""A change of address: both holders agree, nobody learns who is known here."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from digest.domain.actor import READER
from digest.domain.addresses import EmailAddress, parse_address
from digest.domain.allowances import SignUpRules
from digest.domain.states import SubscriptionState, SuppressionReason
from digest.domain.subscribers import NEVER, LetterFormat, Origin, Subscription
from digest.domain.tokens import Purpose
from digest.storage import (
    consents,
    newsletters,
    subscribers,
    subscriptions,
    suppressions,
    tables,
)
from digest.storage.engine import Database
from digest.subscriptions import erase, moving, opt_in, rights
from digest.subscriptions.moving import Move, Moving
from digest.subscriptions.rights import Door
from digest.templating import Templates
from tests.builders import NOW, SECRETS, SITE, add_newsletter
from tests.posting import add_edition, release_edition

OLD, NEW = parse_address("alice@old.example"), parse_address("Alice@new.example")
PAGE = Origin(source="/new-address", network="192.0.2.7", wording="Yes, here.")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TEMPLATES = Templates()


def record(
    db: Database, address: EmailAddress, *, slug: str = "weekly"
) -> Subscription:
    return opt_in.record(
        db,
        newsletter=slug,
        address=address,
        letter_format=LetterFormat.TEXT,
        sections=("arts",),
        origin=Origin(source="cli", wording="Yes."),
        secrets=SECRETS,
        actor=READER,
        now=NOW - 100 * DAY,
    )


@pytest.fixture
def alice(db: Database) -> Subscription:
    add_newsletter(db)
    add_newsletter(db, slug="monthly", name="The Month")
    return record(db, OLD)


def ask(
    db: Database,
    held: Subscription,
    *,
    address: EmailAddress = NEW,
    after: timedelta = timedelta(0),
) -> bool:
    return moving.ask(
        db,
        token=SECRETS.tokens.issue(Purpose.RIGHTS, held.id, at=NOW + after),
        address=address,
        rules=SignUpRules(),
        site=SITE,
        secrets=SECRETS,
        templates=TEMPLATES,
        actor=READER,
        now=NOW + after,
    )


def link(number: int = 1) -> str:
    return SECRETS.tokens.issue(Purpose.MOVE, number, at=NOW)


def agree(db: Database, *, token: str | None = None, after: timedelta = HOUR) -> Moving:
    return moving.agree(
        db,
        token=token or link(),
        origin=PAGE,
        secrets=SECRETS,
        templates=TEMPLATES,
        actor=READER,
        now=NOW + after,
    )


def letters(db: Database, kind: str) -> list[dict[str, Any]]:
    query = tables.notices.select().where(tables.notices.c.kind == kind)
    with db.read() as tx:
        return [dict(row) for row in tx.execute(query).mappings()]


def held_by(db: Database, address: EmailAddress) -> Sequence[Subscription]:
    with db.read() as tx:
        reader = subscribers.find(tx, address.key)
        return subscriptions.for_subscriber(tx, reader.id) if reader else []


def suppress(
    db: Database, reason: SuppressionReason, *, detail: str = "", at: str = NEW.key
) -> None:
    with db.write() as tx:
        suppressions.add(
            tx,
            address_hash=SECRETS.hash_address(at),
            address=None,
            reason=reason,
            detail=detail,
            now=NOW,
        )


def test_asking_mails_the_new_address_and_changes_nothing(
    db: Database, alice: Subscription
) -> None:
    asked = ask(db, alice)

    letter = letters(db, "new-address")[0]
    assert asked is True
    assert letter["address"] == NEW.address
    assert SITE.new_address_url(link()) in letter["text"]
    assert "The Week" in letter["text"]
    assert OLD.address not in letter["text"] + letter["html"]
    assert held_by(db, NEW) == []


def test_agreeing_gives_the_reader_the_new_address(
    db: Database, alice: Subscription
) -> None:
    ask(db, alice)

    done = agree(db)

    held = held_by(db, NEW)[0]
    assert done.outcome is Move.DONE
    assert (held.id, held.state, held.confirmed_at) == (
        alice.id,
        "active",
        alice.confirmed_at,
    )
    assert held_by(db, OLD) == []


def test_the_history_stays_and_grows_by_the_new_consent(
    db: Database, alice: Subscription
) -> None:
    ask(db, alice)

    agree(db)

    with db.read() as tx:
        rows = consents.for_subscriber(tx, alice.subscriber_id)
    assert [row.action for row in rows] == ["recorded", "confirmed"]
    assert rows[1].origin == PAGE


def test_the_old_address_is_told_once(db: Database, alice: Subscription) -> None:
    ask(db, alice)

    outcomes = [agree(db).outcome, agree(db).outcome]

    told = letters(db, "moved")
    assert outcomes == [Move.DONE, Move.DONE]
    assert [letter["address"] for letter in told] == [OLD.address]
    assert "A•••@new.example" in told[0]["text"]
    assert NEW.address not in told[0]["text"]
    assert told[0]["reply_to"] == "editor@news.example.test"


def test_letters_that_were_never_tried_go_to_the_new_address(
    db: Database, alice: Subscription
) -> None:
    with db.read() as tx:
        weekly = newsletters.get(tx, "weekly")
    add_missing = add_edition(db, weekly)
    with db.write() as tx:
        subscriptions.choose(tx, alice, sections=(), letter_format=LetterFormat.TEXT)
    release_edition(db, add_missing)
    ask(db, alice)

    agree(db)

    with db.read() as tx:
        posted = tx.execute(tables.deliveries.select()).one()
    assert posted.address == NEW.address


def test_no_list_brings_the_old_address_back(db: Database, alice: Subscription) -> None:
    ask(db, alice)

    agree(db)

    with db.read() as tx:
        found = suppressions.find(tx, SECRETS.hash_address(OLD.key))
    assert found is not None
    assert (found.reason, found.address) == (SuppressionReason.REQUEST, None)


def test_a_link_mailed_to_the_old_address_opens_nothing_any_more(
    db: Database, alice: Subscription
) -> None:
    stolen = SECRETS.tokens.issue(Purpose.RIGHTS, alice.id, at=NOW + HOUR)
    ask(db, alice)

    agree(db)

    later = NOW + HOUR + timedelta(minutes=5)
    access = rights.look(db, token=stolen, secrets=SECRETS, now=later)
    fresh = SECRETS.tokens.issue(Purpose.RIGHTS, alice.id, at=later)
    assert access.door is Door.EXPIRED
    assert access.reader is None
    assert rights.look(db, token=fresh, secrets=SECRETS, now=later).door is Door.OPEN


def test_an_address_another_reader_has_takes_the_subscriptions_over(
    db: Database, alice: Subscription
) -> None:
    theirs = record(db, NEW, slug="monthly")
    ask(db, alice)

    done = agree(db)

    held = {each.newsletter_id: each for each in held_by(db, NEW)}
    taken = held[alice.newsletter_id]
    assert done.outcome is Move.DONE
    assert (taken.state, taken.sections, taken.format) == ("active", ("arts",), "text")
    assert taken.confirmed_at == alice.confirmed_at
    assert held[theirs.newsletter_id] == theirs
    assert [each.state for each in held_by(db, OLD)] == ["unsubscribed"]


def test_what_the_other_reader_chose_stays(db: Database, alice: Subscription) -> None:
    theirs = record(db, NEW)
    with db.write() as tx:
        theirs = subscriptions.pause(tx, theirs, until=NOW + 9 * DAY, now=NOW)
    ask(db, alice)

    agree(db)

    assert held_by(db, NEW) == [theirs]


def test_a_pause_goes_along(db: Database, alice: Subscription) -> None:
    record(db, NEW, slug="monthly")
    with db.write() as tx:
        subscriptions.pause(tx, alice, until=NOW + 9 * DAY, now=NOW)
    ask(db, alice)

    agree(db)

    found = [each for each in held_by(db, NEW) if each.state == "paused"]
    assert [each.paused_until for each in found] == [NOW + 9 * DAY]


def test_who_left_is_back_only_with_what_moves(
    db: Database, alice: Subscription
) -> None:
    theirs = record(db, NEW)
    with db.write() as tx:
        subscriptions.unsubscribe(tx, theirs, now=NOW - DAY)
    ask(db, alice)

    agree(db)

    with db.read() as tx:
        rows = consents.for_subscriber(tx, theirs.subscriber_id)
    assert [each.state for each in held_by(db, NEW)] == [SubscriptionState.ACTIVE]
    assert rows[-1].action == "confirmed"
    assert rows[-1].origin == PAGE


def test_known_and_unknown_addresses_are_mailed_alike(
    db: Database, alice: Subscription
) -> None:
    bob = parse_address("bob@new.example")
    record(db, bob)

    ask(db, alice)
    ask(db, alice, address=bob)

    first, second = letters(db, "new-address")
    same = [
        {**each, "id": 0, "address": "", "text": "", "html": ""}
        for each in (first, second)
    ]
    assert same[0] == same[1]
    assert len(first["text"]) == len(second["text"])


@pytest.mark.parametrize("reason", ["bounce", "complaint", "manual"])
def test_a_suppressed_address_is_not_asked(
    db: Database, alice: Subscription, reason: str
) -> None:
    suppress(db, SuppressionReason(reason))

    assert ask(db, alice) is False
    assert letters(db, "new-address") == []


def test_nor_is_one_whose_holder_said_never(db: Database, alice: Subscription) -> None:
    suppress(db, SuppressionReason.REQUEST, detail=NEVER)

    assert ask(db, alice) is False


def test_one_that_is_suppressed_meanwhile_gets_nothing(
    db: Database, alice: Subscription
) -> None:
    ask(db, alice)
    suppress(db, SuppressionReason.BOUNCE)

    assert agree(db).outcome is Move.OVER
    assert held_by(db, NEW) == []


def test_agreeing_lifts_the_new_holders_own_wish_for_silence(
    db: Database, alice: Subscription
) -> None:
    suppress(db, SuppressionReason.REQUEST)
    ask(db, alice)

    agree(db)

    with db.read() as tx:
        assert suppressions.find(tx, SECRETS.hash_address(NEW.key)) is None


def test_a_later_wish_replaces_an_earlier_one(
    db: Database, alice: Subscription
) -> None:
    slip = parse_address("alcie@new.example")
    ask(db, alice, address=slip)
    ask(db, alice)

    outcomes = [agree(db, token=link(1)).outcome, agree(db, token=link(2)).outcome]

    assert outcomes == [Move.OVER, Move.DONE]
    assert held_by(db, slip) == []


def test_an_address_is_asked_once_a_day_and_thrice_a_month(
    db: Database, alice: Subscription
) -> None:
    days = [0, 0.5, 2, 4, 6, 40]

    mailed = [ask(db, alice, after=day * DAY) for day in days]

    assert mailed == [True, False, True, True, False, True]


def test_a_reader_has_three_addresses_asked_a_day(
    db: Database, alice: Subscription
) -> None:
    """Attack A6: whoever has a link could else have anybody written to."""
    addresses = [parse_address(f"a{n}@new.example") for n in range(5)]

    mailed = [ask(db, alice, address=address) for address in addresses]

    assert mailed == [True, True, True, False, False]


def test_moving_to_the_same_address_is_nothing(
    db: Database, alice: Subscription
) -> None:
    assert ask(db, alice, address=parse_address("ALICE@old.example")) is False


def test_an_old_link_moves_nobody(db: Database, alice: Subscription) -> None:
    ask(db, alice)

    seen = moving.look(db, token=link(), secrets=SECRETS, now=NOW + 2 * DAY)

    assert agree(db, after=2 * DAY).outcome is Move.OVER
    assert (seen.outcome, seen.address) == (Move.OVER, "")
    assert held_by(db, NEW) == []


@pytest.mark.parametrize("purpose", [p for p in Purpose if p is not Purpose.MOVE])
def test_no_other_link_moves_anybody(
    db: Database, alice: Subscription, purpose: Purpose
) -> None:
    ask(db, alice)
    other = SECRETS.tokens.issue(purpose, 1, at=NOW)

    assert agree(db, token=other).outcome is Move.UNKNOWN
    assert held_by(db, NEW) == []


def test_an_inbox_is_asked_so_often_a_day_whatever_it_is_called(
    db: Database, alice: Subscription
) -> None:
    others = [record(db, parse_address(f"r{n}@old.example")) for n in range(4)]

    asked = [
        ask(db, each, address=parse_address(f"bo.b+{each.id}@new.example"))
        for each in (alice, *others)
    ]

    assert asked == [True] * 3 + [False] * 2


def test_an_editions_link_asks_for_no_move(db: Database, alice: Subscription) -> None:
    asked = moving.ask(
        db,
        token=SECRETS.tokens.issue(Purpose.PREFERENCES, alice.id),
        address=NEW,
        rules=SignUpRules(),
        site=SITE,
        secrets=SECRETS,
        templates=TEMPLATES,
        actor=READER,
        now=NOW,
    )

    assert asked is False


def test_pressing_at_once_moves_and_tells_once(
    db: Database, alice: Subscription
) -> None:
    ask(db, alice)

    with ThreadPoolExecutor(6) as pool:
        outcomes = set(pool.map(lambda _: agree(db).outcome, range(6)))

    assert outcomes == {Move.DONE}
    assert len(letters(db, "moved")) == 1


def test_looking_changes_nothing(db: Database, alice: Subscription) -> None:
    ask(db, alice)

    seen = moving.look(db, token=link(), secrets=SECRETS, now=NOW)
    unknown = moving.look(db, token=link(7), secrets=SECRETS, now=NOW)

    assert (seen.outcome, seen.address, list(seen.names)) == (
        Move.OPEN,
        NEW.address,
        ["The Week"],
    )
    assert unknown.outcome is Move.UNKNOWN
    assert held_by(db, NEW) == []


def cells(db: Database) -> str:
    with db.read() as tx:
        return repr(
            [
                tx.execute(table.select()).all()
                for table in tables.metadata.sorted_tables
            ]
        ).lower()


def test_erasing_forgets_the_new_address_too(db: Database, alice: Subscription) -> None:
    ask(db, alice)

    erase.erase(
        db, subscriber_id=alice.subscriber_id, secrets=SECRETS, actor=READER, now=NOW
    )

    assert NEW.key not in cells(db)
    assert agree(db).outcome is Move.OVER


def test_erasing_after_a_move_forgets_both_addresses(
    db: Database, alice: Subscription
) -> None:
    ask(db, alice)
    agree(db)

    erase.erase(
        db, subscriber_id=alice.subscriber_id, secrets=SECRETS, actor=READER, now=NOW
    )

    found = cells(db)
    assert OLD.key not in found
    assert NEW.key not in found


def test_erasing_the_other_reader_forgets_that_they_were_asked(
    db: Database, alice: Subscription
) -> None:
    theirs = record(db, NEW)
    ask(db, alice)

    erase.erase(
        db, subscriber_id=theirs.subscriber_id, secrets=SECRETS, actor=READER, now=NOW
    )

    assert NEW.key not in cells(db)


def test_a_link_that_was_pressed_moves_nobody_who_was_erased_since(
    db: Database, alice: Subscription
) -> None:
    ask(db, alice)
    agree(db)
    erase.erase(
        db, subscriber_id=alice.subscriber_id, secrets=SECRETS, actor=READER, now=NOW
    )

    found = moving.look(db, token=link(), secrets=SECRETS, now=NOW + HOUR)

    assert found.outcome is Move.OVER


def test_an_address_nobody_agreed_to_is_forgotten(
    db: Database, alice: Subscription
) -> None:
    bob = record(db, parse_address("bob@old.example"))
    ask(db, alice)
    ask(db, bob, address=parse_address("bob@new.example"), after=2 * DAY)

    moving.forget_unanswered(db, now=NOW + 2 * DAY)

    with db.read() as tx:
        rows = tx.execute(
            tables.address_changes.select().order_by(tables.address_changes.c.id)
        ).all()
    assert [row.address for row in rows] == [None, "bob@new.example"]


def test_moves_and_wishes_are_audited_without_an_address(
    db: Database, alice: Subscription
) -> None:
    ask(db, alice)
    agree(db)

    with db.read() as tx:
        rows = tx.execute(tables.audit.select()).all()
    assert [row.action for row in rows][-2:] == [
        "subscriber.move_asked",
        "subscriber.moved",
    ]
    assert "example" not in repr([row.detail for row in rows])
