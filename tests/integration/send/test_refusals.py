"""What servers answer, and what becomes of the letter and its reader."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from digest.domain.deliveries import LetterKind, Result, UncertainPolicy
from digest.domain.states import DeliveryState
from digest.send.worker import drain
from digest.storage import attempts, ledger, notice_ledger, notices, tables
from digest.storage.engine import Database
from tests.builders import NOW, add_newsletter
from tests.posting import (
    HANG_UP,
    Clock,
    Inbox,
    MoodyRelay,
    add_edition,
    add_readers,
    lose_answers,
    make_notice,
    make_post,
    notices_of,
    release_edition,
    rows_of,
)

REFUSALS = [
    ("RCPT", "550 5.1.1 No such user", "failed"),
    ("RCPT", "450 4.2.1 Busy", "deferred"),
    ("RCPT", "452 4.2.2 Mailbox full", "deferred"),
    ("MAIL", "451 4.3.0 Later", "deferred"),
    ("DATA", "451 4.3.0 Later", "deferred"),
    (".", "554 5.6.0 Malformed", "failed"),
    (".", "451 4.3.0 Later", "deferred"),
    (".", "550 5.7.1 Blocked for your reputation", "deferred"),
    ("RCPT", "550 5.7.26 Unauthenticated", "deferred"),
    ("RCPT", "421 4.3.2 Closing", "deferred"),
    ("MAIL", HANG_UP, "deferred"),
    ("RCPT", HANG_UP, "deferred"),
    ("DATA", HANG_UP, "deferred"),
    (".", HANG_UP, "uncertain"),
]


@pytest.mark.parametrize(("verb", "answer", "state"), REFUSALS)
async def test_each_answer_leads_to_its_state(
    sqlite_db: Database, verb: str, answer: str, state: str
) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 2)
    edition = add_edition(sqlite_db, newsletter)
    release_edition(sqlite_db, edition)

    answers = [answer]

    def mood(said: str, _recipient: str) -> str | None:
        return answers.pop() if said == verb and answers else None

    async with MoodyRelay(Inbox(), mood) as relay:
        post = make_post(sqlite_db, relay.port, connections=1)
        await drain(post, clock=lambda: NOW)

    assert sorted(row.state for row in rows_of(sqlite_db, edition)) == sorted(
        [state, "sent"]
    )


async def test_nobody_is_suppressed_by_a_refusal_of_the_sender(
    sqlite_db: Database,
) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 4)
    release_edition(sqlite_db, add_edition(sqlite_db, newsletter))

    def blocked(verb: str, _recipient: str) -> str | None:
        return "550 5.7.1 Blocked for spam" if verb == "RCPT" else None

    async with MoodyRelay(Inbox(), blocked) as relay:
        totals = await drain(make_post(sqlite_db, relay.port), clock=lambda: NOW)

    with sqlite_db.read() as tx:
        count = select(func.count()).select_from(tables.suppressions)
        assert tx.execute(count).scalar_one() == 0
    assert totals.deferred == 4


async def test_backs_off_by_the_promised_steps(sqlite_db: Database) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 1)
    edition = add_edition(sqlite_db, newsletter)
    release_edition(sqlite_db, edition)
    clock, waits = Clock(), []

    def busy(verb: str, _recipient: str) -> str | None:
        return "450 4.2.1 Busy" if verb == "RCPT" else None

    async with MoodyRelay(Inbox(), busy) as relay:
        post = make_post(sqlite_db, relay.port)
        for _ in range(6):
            await drain(post, clock=clock)
            (row,) = rows_of(sqlite_db, edition)
            waits.append(int((row.next_attempt_at - clock.now) / timedelta(minutes=1)))
            clock.now = row.next_attempt_at

    assert waits == [5, 10, 20, 40, 60, 60]


async def test_gives_up_after_the_deadline(sqlite_db: Database) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 1)
    edition = add_edition(sqlite_db, newsletter)
    release_edition(sqlite_db, edition)
    clock = Clock()

    def busy(verb: str, _recipient: str) -> str | None:
        return "450 4.2.1 Busy" if verb == "RCPT" else None

    async with MoodyRelay(Inbox(), busy) as relay:
        post = make_post(sqlite_db, relay.port)
        await drain(post, clock=clock)
        clock.move(hours=72)
        await drain(post, clock=clock)

    (row,) = rows_of(sqlite_db, edition)
    assert (row.state, row.attempts) == ("failed", 2)
    assert "deadline" in row.reason


async def test_a_deferred_letter_is_delivered_on_retry_with_a_new_date(
    sqlite_db: Database,
) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 1)
    edition = add_edition(sqlite_db, newsletter)
    release_edition(sqlite_db, edition)
    inbox, clock, refused = Inbox(), Clock(), ["450 4.2.1 Greylisted"]

    def greylist(verb: str, _recipient: str) -> str | None:
        return refused.pop() if verb == "." and refused else None

    async with MoodyRelay(inbox, greylist) as relay:
        post = make_post(sqlite_db, relay.port)
        await drain(post, clock=clock)
        clock.move(minutes=6)
        await drain(post, clock=clock)

    (message,) = inbox.messages()
    assert message["Date"] == "Sun, 12 May 2024 12:06:00 +0000"
    assert [row.state for row in rows_of(sqlite_db, edition)] == ["sent"]


async def test_every_failed_try_is_kept_with_the_servers_words(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 1)
    edition = add_edition(db, newsletter)
    release_edition(db, edition)
    clock, answers = Clock(), ["550 5.1.1 Gone", "451 4.3.0 Later"]

    def mood(verb: str, _recipient: str) -> str | None:
        return answers.pop() if verb == "RCPT" else None

    async with MoodyRelay(Inbox(), mood) as relay:
        post = make_post(db, relay.port)
        await drain(post, clock=clock)
        clock.move(minutes=6)
        await drain(post, clock=clock)

    (row,) = rows_of(db, edition)
    with db.read() as tx:
        kept = attempts.of(tx, LetterKind.DELIVERY, row.id)
    assert [(a.outcome, a.smtp_code, a.smtp_text) for a in kept] == [
        ("deferred", 451, "4.3.0 Later"),
        ("failed", 550, "5.1.1 Gone"),
    ]
    assert (row.attempts, row.smtp_code) == (2, 550)


async def test_holds_a_letter_whose_answer_was_lost(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 5)
    edition = add_edition(db, newsletter)
    release_edition(db, edition)
    inbox, clock = Inbox(), Clock()

    async with MoodyRelay(inbox, lose_answers(1)) as relay:
        post = make_post(db, relay.port)
        totals = await drain(post, clock=clock)
        clock.move(days=1)
        await drain(post, clock=clock)

    assert (totals.sent, totals.uncertain) == (4, 1)
    assert inbox.recipients() == sorted(f"r{n}@example.com" for n in range(5))


async def test_a_notice_in_doubt_is_always_sent_again(sqlite_db: Database) -> None:
    with sqlite_db.write() as tx:
        notices.add(tx, make_notice(), now=NOW)
    inbox, clock = Inbox(), Clock()

    async with MoodyRelay(inbox, lose_answers(1)) as relay:
        post = make_post(sqlite_db, relay.port)
        await drain(post, clock=clock)
        clock.move(minutes=1)
        await drain(post, clock=clock)

    first, second = inbox.received
    assert first.message == second.message
    assert [row.state for row in notices_of(sqlite_db)] == ["sent"]


async def test_a_notice_that_was_put_off_waits_its_turn(db: Database) -> None:
    with db.write() as tx:
        notices.add(tx, make_notice(), now=NOW)

    def busy(verb: str, _recipient: str) -> str | None:
        return "450 4.2.1 Greylisted" if verb == "RCPT" else None

    async with MoodyRelay(Inbox(), busy) as relay, asyncio.timeout(30):
        totals = await drain(make_post(db, relay.port), clock=Clock())

    (row,) = notices_of(db)
    assert len([line for line in relay.heard if line.startswith("RCPT")]) == 1
    assert (row.state, row.lease_owner) == ("deferred", None)
    assert row.next_attempt_at == NOW + timedelta(minutes=5)
    assert (totals.deferred, totals.waiting) == (1, 1)


async def test_a_notice_that_was_settled_is_not_given_back(db: Database) -> None:
    with db.write() as tx:
        notices.add(tx, make_notice(), now=NOW)
        lease = timedelta(seconds=4)
        (held,) = notice_ledger.claim(tx, owner="a", now=NOW, lease=lease, limit=1)
    later = NOW + timedelta(minutes=5)
    put_off = Result(
        lease=held.lease,
        letter_id=held.id,
        at=NOW,
        state=DeliveryState.DEFERRED,
        next_attempt_at=later,
    )

    with db.write() as tx:
        ledger.settle(tx, LetterKind.NOTICE, [put_off], worker="a")
        notice_ledger.give_back(tx, held.lease, not_before=NOW)

    assert [row.next_attempt_at for row in notices_of(db)] == [later]


async def test_a_refusal_after_doubt_keeps_the_date(sqlite_db: Database) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 1)
    edition = add_edition(sqlite_db, newsletter)
    release_edition(sqlite_db, edition)
    inbox, clock = Inbox(), Clock()
    answers = [None, "451 4.3.0 Later", HANG_UP]

    def mood(verb: str, _recipient: str) -> str | None:
        return answers.pop() if verb == "." else None

    async with MoodyRelay(inbox, mood) as relay:
        post = make_post(sqlite_db, relay.port, uncertain=UncertainPolicy.RESEND)
        for _ in range(3):
            await drain(post, clock=clock)
            clock.move(hours=1)

    first, second = inbox.received
    assert first.message == second.message


async def test_a_relay_that_allows_fewer_connections_serves_all(
    sqlite_db: Database,
) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 30)
    release_edition(sqlite_db, add_edition(sqlite_db, newsletter))
    inbox = Inbox()

    async with MoodyRelay(inbox, lambda *_: None, most=2) as relay:
        turn = timedelta(milliseconds=20)
        post = make_post(sqlite_db, relay.port, connections=4, turn=turn)
        await drain(post, clock=lambda: NOW)

    assert len(inbox.received) == 30


async def test_lasting_trouble_fails_a_letter_at_its_deadline(
    sqlite_db: Database,
) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 1)
    edition = release_edition(sqlite_db, add_edition(sqlite_db, newsletter))
    clock = Clock()

    def broken(verb: str, _recipient: str) -> str | None:
        return HANG_UP if verb == "DATA" else None

    async with MoodyRelay(Inbox(), broken) as relay:
        post = make_post(sqlite_db, relay.port)
        await drain(post, clock=clock)
        clock.move(hours=72)
        await drain(post, clock=clock)

    (row,) = rows_of(sqlite_db, edition)
    assert (row.state, row.refusals) == ("failed", 0)
    assert "deadline" in row.reason
