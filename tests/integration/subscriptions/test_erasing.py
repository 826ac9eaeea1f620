"""Erasure: no row holds the address afterwards, and nobody is brought back."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from digest.domain.actor import READER
from digest.domain.addresses import parse_address
from digest.domain.allowances import SignUpRules
from digest.domain.deliveries import Lease, LetterKind, Result
from digest.domain.errors import NotFoundError, UsageError
from digest.domain.letters import NewNotice, NoticeKind
from digest.domain.states import DeliveryState, SubscriptionState, SuppressionReason
from digest.domain.subscribers import Origin
from digest.storage import (
    attempts,
    ledger,
    newsletters,
    notices,
    subscribers,
    subscriptions,
    suppressions,
    tables,
)
from digest.storage.engine import Database, Tx
from digest.subscriptions import erase, opt_in, statistics, suppressing
from tests.builders import NOW, SECRETS, add_newsletter
from tests.integration.subscriptions.common import CLI

TEXT = "alice@x.example"
ALICE = parse_address(TEXT)
HASH = SECRETS.hash_address(ALICE.key)


@pytest.fixture
def alice(db: Database) -> int:
    """An active reader, by row id."""
    add_newsletter(db)
    held = opt_in.record(
        db,
        newsletter="weekly",
        address=ALICE,
        name="Alice",
        origin=Origin(source="cli", wording="by phone"),
        secrets=SECRETS,
        actor=CLI,
        now=NOW,
    )
    return held.subscriber_id


def erase_reader(db: Database, reader_id: int) -> bool:
    return erase.erase(
        db, subscriber_id=reader_id, secrets=SECRETS, actor=READER, now=NOW
    )


def post(tx: Tx, reader_id: int, *, state: str) -> int:
    """A letter to the reader, as the ledger holds it."""
    weekly = newsletters.get(tx, "weekly")
    held = subscriptions.for_subscriber(tx, reader_id)[0]
    edition: Any = {c.name: "" for c in tables.editions.c if not c.nullable}
    edition |= {
        "newsletter_id": weekly.id,
        "issue_date": NOW.date(),
        "revision": len(state),  # unique
        "number": 1,
        "created_at": NOW,
        "updated_at": NOW,
    }
    del edition["id"]
    edition_id = tx.execute(
        insert(tables.editions).values(edition).returning(tables.editions.c.id)
    ).scalar_one()
    variant: Any = {
        "edition_id": edition_id,
        "sections": "",
        "format": "html",
        "subject": "s",
        "text": "t",
    }
    variant_id = tx.execute(
        insert(tables.variants).values(variant).returning(tables.variants.c.id)
    ).scalar_one()
    delivery: Any = {
        "edition_id": edition_id,
        "subscriber_id": reader_id,
        "subscription_id": held.id,
        "variant_id": variant_id,
        "chunk": 0,
        "address": TEXT,
        "confirmed_on": NOW.date(),
        "key_id": 1,
        "state": state,
        "smtp_text": f"<{TEXT}> is busy",
    }
    delivery_id = tx.execute(
        insert(tables.deliveries).values(delivery).returning(tables.deliveries.c.id)
    ).scalar_one()
    tx.execute(insert(tables.attempts).values(attempt(delivery_id=delivery_id)))
    return int(delivery_id)


def attempt(**of: int) -> dict[str, Any]:
    return {
        "at": NOW,
        "worker": "w",
        "outcome": "deferred",
        "smtp_text": f"<{TEXT}> is busy",
        **of,
    }


def write_notice(tx: Tx, subscriber_id: int | None) -> int:
    sender = newsletters.get(tx, "weekly").sender
    notice_id = notices.add(
        tx,
        NewNotice(
            kind=NoticeKind.TEST,
            address=TEXT,
            sender=sender,
            subject=f"For {TEXT}",
            text=f"Dear {TEXT}",
            html=f"<p>{TEXT}",
            headers={"X-For": TEXT},
            subscriber_id=subscriber_id,
            dedupe_key=f"test {TEXT} {subscriber_id}",
        ),
        now=NOW,
    )
    tx.execute(insert(tables.attempts).values(attempt(notice_id=notice_id)))
    return notice_id


def everything(db: Database) -> str:
    """Every cell of every table, as text."""
    with db.read() as tx:
        return "\n".join(
            repr(row)
            for table in tables.metadata.sorted_tables
            for row in tx.execute(select(table)).all()
        )


def test_leaves_the_address_in_no_row(db: Database, alice: int) -> None:
    with db.write() as tx:
        for state in ("queued", "deferred", "dispatching", "sent"):
            post(tx, alice, state=state)
        write_notice(tx, alice)
        write_notice(tx, None)
        suppressions.add(
            tx,
            address_hash=HASH,
            address=TEXT,
            reason=SuppressionReason.BOUNCE,
            detail=f"550 {TEXT} unknown",
            now=NOW,
        )
    assert TEXT in everything(db)

    done = erase_reader(db, alice)

    assert done
    assert TEXT not in everything(db)
    assert "Alice" not in everything(db)


def test_stops_letters_that_wait_and_no_others(db: Database, alice: int) -> None:
    states = ("queued", "deferred", "dispatching", "sent")
    with db.write() as tx:
        posted = [post(tx, alice, state=state) for state in states]
        noticed = write_notice(tx, alice)

    erase_reader(db, alice)

    deliveries, letters = tables.deliveries.c, tables.notices.c
    with db.read() as tx:
        found = tx.execute(
            select(deliveries.state, deliveries.reason)
            .where(deliveries.id.in_(posted))
            .order_by(deliveries.id)
        ).all()
        notice = tx.execute(
            select(letters.state, letters.reason).where(letters.id == noticed)
        ).one()
    assert [tuple(row) for row in found] == [
        ("skipped", "erased"),
        ("skipped", "erased"),
        ("dispatching", None),
        ("sent", None),
    ]
    assert tuple(notice) == ("skipped", "erased")


def test_ends_subscriptions_and_keeps_the_evidence(db: Database, alice: int) -> None:
    erase_reader(db, alice)

    with db.read() as tx:
        held = subscriptions.for_subscriber(tx, alice)
        actions = (
            tx.execute(select(tables.consents.c.action).order_by(tables.consents.c.id))
            .scalars()
            .all()
        )
        kept = suppressions.find(tx, HASH)
        audited = (
            tx.execute(
                select(tables.audit.c.actor).where(
                    tables.audit.c.action == "subscriber.erased"
                )
            )
            .scalars()
            .all()
        )
    assert [each.state for each in held] == [SubscriptionState.UNSUBSCRIBED]
    assert actions == ["recorded", "withdrawn"]
    assert kept is not None
    assert (kept.address, kept.reason) == (None, SuppressionReason.REQUEST)
    assert audited == ["reader"]


def test_erases_once(db: Database, alice: int) -> None:
    assert erase_reader(db, alice)
    assert not erase_reader(db, alice)


def test_erases_nobody_unknown(db: Database, alice: int) -> None:
    with pytest.raises(NotFoundError):
        erase_reader(db, alice + 1)


def test_does_not_end_what_has_ended(db: Database, alice: int) -> None:
    with db.write() as tx:
        held = subscriptions.for_subscriber(tx, alice)[0]
        subscriptions.unsubscribe(tx, held, now=NOW)

    assert erase_reader(db, alice)


def test_counts_readers_states_reasons_and_domains(db: Database, alice: int) -> None:
    with db.write() as tx:
        bob = parse_address("bob@y.example")
        reader = subscribers.add(tx, bob, name="", address_hash="h", now=NOW)
        weekly = newsletters.get(tx, "weekly")
        subscriptions.add(tx, subscriber_id=reader.id, newsletter_id=weekly.id, now=NOW)
    erase_reader(db, alice)

    found = statistics.count(db, rules=SignUpRules(disposable_domains=["y.*"]))

    assert (found.readers, found.erased) == (1, 1)
    assert found.newsletters["weekly"] == {
        "pending": 1,
        "active": 0,
        "paused": 0,
        "unsubscribed": 1,
    }
    assert found.suppressions["request"] == 1  # type: ignore[index] # a str enum
    assert found.domains == [("y.example", 1)]
    assert found.disposable == found.domains


def test_suppresses_by_hand_but_never_weakens(db: Database, alice: int) -> None:
    def bar() -> str:
        return suppressing.suppress(
            db, address=ALICE, because="legal", secrets=SECRETS, actor=CLI, now=NOW
        ).reason

    first = bar()
    with db.write() as tx:
        suppressions.add(
            tx,
            address_hash=HASH,
            address=TEXT,
            reason=SuppressionReason.COMPLAINT,
            detail="",
            now=NOW,
        )

    assert (first, bar()) == ("manual", "complaint")


def test_wants_a_reason(db: Database) -> None:
    with pytest.raises(UsageError):
        suppressing.suppress(
            db, address=ALICE, because=" ", secrets=SECRETS, actor=CLI, now=NOW
        )


def test_finds_the_address_however_it_was_typed(db: Database, alice: int) -> None:
    typed = parse_address(TEXT.replace("alice", "Alice"))
    suppressing.suppress(
        db, address=typed, because="legal", secrets=SECRETS, actor=CLI, now=NOW
    )
    with db.write() as tx:
        write_notice(tx, None)
        letters = tables.notices
        tx.execute(update(letters).values(address=typed.address))

    erase_reader(db, alice)

    assert TEXT not in everything(db).lower()


@pytest.mark.parametrize("state", ["sent", "failed"])
@pytest.mark.parametrize("kind", list(LetterKind))
def test_nor_does_an_answer_that_comes_later(
    db: Database, alice: int, kind: LetterKind, state: str
) -> None:
    with db.write() as tx:
        post(tx, alice, state="dispatching")
        write_notice(tx, alice)
        tx.execute(update(tables.notices).values(state="dispatching"))
        letter_id = tx.execute(select(attempts.LETTERS[kind].c.id)).scalar_one()
    erase_reader(db, alice)
    answer = Result(
        lease=Lease(kind=kind, row_id=letter_id, fence=0),
        letter_id=letter_id,
        at=NOW,
        state=DeliveryState(state),
        intended=True,
        reason=None if state == "sent" else "no-such-mailbox",
        smtp_code=250,
        smtp_text=f"<{TEXT}> noted",
    )

    with db.write() as tx:
        ledger.settle(tx, kind, [answer], worker="w")

    assert TEXT not in everything(db)


def test_leaves_the_address_in_no_file(sqlite_db: Database, tmp_path: Path) -> None:
    add_newsletter(sqlite_db)
    held = opt_in.record(
        sqlite_db,
        newsletter="weekly",
        address=ALICE,
        origin=Origin(source="cli", wording="by phone"),
        secrets=SECRETS,
        actor=CLI,
        now=NOW,
    )

    erase_reader(sqlite_db, held.subscriber_id)
    sqlite_db.close()

    files = [path.read_bytes() for path in tmp_path.glob("digest.db*")]
    assert not any(TEXT.encode() in octets for octets in files)
