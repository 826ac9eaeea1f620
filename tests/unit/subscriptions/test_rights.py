"""A reader's data: opened by a fresh link to the address on file, by nothing else."""

from datetime import timedelta
from typing import Any

import pytest

from digest.domain.actor import READER
from digest.domain.addresses import parse_address
from digest.domain.states import SuppressionReason
from digest.domain.subscribers import Origin, Subscription
from digest.domain.tokens import Purpose
from digest.storage import newsletters, subscribers, suppressions, tables
from digest.storage.engine import Database
from digest.subscriptions import erase, opt_in, rights
from digest.subscriptions.rights import Access, Door
from digest.templating import Templates
from tests.builders import NOW, SECRETS, SITE, add_newsletter
from tests.posting import add_edition, release_edition

ALICE = parse_address("alice@example.test")
HOUR = timedelta(hours=1)


@pytest.fixture
def alice(sqlite_db: Database) -> Subscription:
    add_newsletter(sqlite_db)
    return opt_in.record(
        sqlite_db,
        newsletter="weekly",
        address=ALICE,
        origin=Origin(source="cli", wording="Yes."),
        secrets=SECRETS,
        actor=READER,
        now=NOW,
    )


def mail_link(db: Database, held_id: int, *, hours: int = 0) -> bool:
    return rights.mail_link(
        db,
        subscription_id=held_id,
        site=SITE,
        secrets=SECRETS,
        templates=Templates(),
        actor=READER,
        now=NOW + hours * HOUR,
    )


def token(held: Subscription) -> str:
    return SECRETS.tokens.issue(Purpose.RIGHTS, held.id, at=NOW)


def look(db: Database, text: str, *, hours: float = 0) -> Access:
    return rights.look(db, token=text, secrets=SECRETS, now=NOW + hours * HOUR)


def letters(db: Database) -> list[dict[str, Any]]:
    with db.read() as tx:
        return [dict(row) for row in tx.execute(tables.notices.select()).mappings()]


def suppress(db: Database, reason: SuppressionReason) -> None:
    with db.write() as tx:
        suppressions.add(
            tx,
            address_hash=SECRETS.hash_address(ALICE.key),
            address=None,
            reason=reason,
            detail="",
            now=NOW,
        )


def test_mails_a_link_to_the_address_on_file(
    sqlite_db: Database, alice: Subscription
) -> None:
    mail_link(sqlite_db, alice.id)

    letter = letters(sqlite_db)[0]
    assert (letter["kind"], letter["address"]) == ("rights", ALICE.address)
    assert SITE.rights_url(token(alice)) in letter["text"]
    assert SITE.rights_url(token(alice)) in letter["html"]
    assert letter["headers"] == {"Auto-Submitted": "auto-generated"}


def test_mails_three_links_a_day(sqlite_db: Database, alice: Subscription) -> None:
    mailed = [mail_link(sqlite_db, alice.id, hours=hour) for hour in range(5)]
    next_day = mail_link(sqlite_db, alice.id, hours=25)

    assert mailed == [True, True, True, False, False]
    assert next_day is True


@pytest.mark.parametrize("reason", ["bounce", "complaint", "manual"])
def test_mails_nothing_to_a_suppressed_address(
    sqlite_db: Database, alice: Subscription, reason: str
) -> None:
    suppress(sqlite_db, SuppressionReason(reason))

    assert mail_link(sqlite_db, alice.id) is False
    assert letters(sqlite_db) == []


def test_who_wants_no_letters_still_gets_their_data(
    sqlite_db: Database, alice: Subscription
) -> None:
    suppress(sqlite_db, SuppressionReason.REQUEST)

    assert mail_link(sqlite_db, alice.id) is True


def test_mails_nothing_where_there_is_nobody(
    sqlite_db: Database, alice: Subscription
) -> None:
    erase.erase(
        sqlite_db,
        subscriber_id=alice.subscriber_id,
        secrets=SECRETS,
        actor=READER,
        now=NOW,
    )

    assert [mail_link(sqlite_db, alice.id), mail_link(sqlite_db, 999)] == [False] * 2
    assert letters(sqlite_db) == []


def test_a_link_is_open_for_an_hour(sqlite_db: Database, alice: Subscription) -> None:
    doors = [look(sqlite_db, token(alice), hours=h).door for h in (0, 1, 1.01)]

    assert doors == [Door.OPEN, Door.OPEN, Door.EXPIRED]


@pytest.mark.parametrize("purpose", [p for p in Purpose if p is not Purpose.RIGHTS])
def test_no_other_link_opens_it(
    sqlite_db: Database, alice: Subscription, purpose: Purpose
) -> None:
    """Attack A10: an edition's links are forwarded with it."""
    other = SECRETS.tokens.issue(purpose, alice.id, at=NOW)

    assert look(sqlite_db, other).door is Door.UNKNOWN
    assert rights.export(sqlite_db, token=other, secrets=SECRETS, now=NOW) is None
    assert not rights.delete(
        sqlite_db, token=other, secrets=SECRETS, actor=READER, now=NOW
    )


def test_the_export_holds_everything_stored_about_a_reader(
    sqlite_db: Database, alice: Subscription
) -> None:
    suppress(sqlite_db, SuppressionReason.REQUEST)

    document = rights.export(sqlite_db, token=token(alice), secrets=SECRETS, now=NOW)

    assert document is not None
    assert document["address"] == ALICE.address
    assert document["subscriptions"][0]["newsletter"] == "weekly"
    assert document["consent"][0]["wording"] == "Yes."
    assert "actor" not in document["consent"][0]
    assert document["suppression"]["reason"] == "request"


def test_the_export_names_the_editions_that_were_sent(
    sqlite_db: Database, alice: Subscription
) -> None:
    with sqlite_db.read() as tx:
        weekly = newsletters.get(tx, "weekly")
    edition = release_edition(sqlite_db, add_edition(sqlite_db, weekly))

    document = rights.export(sqlite_db, token=token(alice), secrets=SECRETS, now=NOW)

    assert document is not None
    assert document["letters"] == [
        {
            "newsletter": "weekly",
            "issue_date": edition.issue_date,
            "state": "queued",
            "at": None,
        }
    ]


def test_an_expired_link_exports_and_deletes_nothing(
    sqlite_db: Database, alice: Subscription
) -> None:
    late = NOW + 2 * HOUR

    document = rights.export(sqlite_db, token=token(alice), secrets=SECRETS, now=late)
    gone = rights.delete(
        sqlite_db, token=token(alice), secrets=SECRETS, actor=READER, now=late
    )

    assert (document, gone) == (None, False)


def test_deleting_erases_the_reader(sqlite_db: Database, alice: Subscription) -> None:
    gone = rights.delete(
        sqlite_db, token=token(alice), secrets=SECRETS, actor=READER, now=NOW
    )

    with sqlite_db.read() as tx:
        assert subscribers.find(tx, ALICE.key) is None
    assert gone is True
    assert look(sqlite_db, token(alice)).door is Door.UNKNOWN
