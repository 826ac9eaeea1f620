"""Workers against relays that refuse us, and under limits of speed."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from digest.domain.editions import Edition
from digest.domain.rates import RateRules
from digest.domain.states import DeliveryState, EditionState
from digest.send import progress, steering
from digest.send.worker import drain
from digest.storage import notices, tables
from digest.storage.engine import Database
from tests.builders import NOW, add_newsletter
from tests.posting import (
    DESK,
    Clock,
    Inbox,
    MoodyRelay,
    add_edition,
    add_reader,
    add_readers,
    audit_of,
    make_notice,
    make_post,
    release_edition,
    rows_of,
)

STORMS = [
    ("RCPT", "550 5.7.1 Blocked for your reputation"),
    (".", "550 5.7.515 Access denied, sending domain does not meet the level"),
    ("RCPT", "450 4.7.28 Unusual rate of unsolicited mail"),
    ("MAIL", "550 5.7.1 Blocked"),
]


def add_mixed(db: Database, count: int) -> Edition:
    """A released edition; every other reader is at big.example."""
    newsletter = add_newsletter(db)
    for number in range(count):
        domain = "big.example" if number % 2 else "small.example"
        add_reader(db, newsletter, f"r{number}@{domain}")
    return release_edition(db, add_edition(db, newsletter), chunk_size=300)


def suppressed(db: Database) -> int:
    """How many addresses are never written to."""
    with db.read() as tx:
        query = select(func.count()).select_from(tables.suppressions)
        return int(tx.execute(query).scalar_one())


@pytest.mark.parametrize(("verb", "answer"), STORMS)
async def test_a_storm_pauses_and_blames_no_reader(
    sqlite_db: Database, verb: str, answer: str
) -> None:
    edition = add_mixed(sqlite_db, 300)
    asked = []

    def storm(said: str, recipient: str) -> str | None:
        if said != verb or recipient.endswith("small.example"):
            return None
        asked.append(recipient)
        return answer

    async with MoodyRelay(Inbox(), storm) as relay:
        post = make_post(sqlite_db, relay.port, connections=8)
        totals = await drain(post, clock=Clock())

    states = Counter(row.state for row in rows_of(sqlite_db, edition))
    status = progress.status(sqlite_db, edition_id=edition.id, now=NOW)
    assert status.state == EditionState.PAUSED
    assert 10 <= len(asked) <= 50
    assert states["failed"] == suppressed(sqlite_db) == 0
    assert totals.policy == states["deferred"] >= 10
    assert status.pause_reason is not None
    assert answer[:3] in status.pause_reason
    assert "@" not in status.pause_reason
    assert ("edition.paused", "worker") in audit_of(sqlite_db)


async def test_a_storm_pauses_two_workers(db: Database) -> None:
    edition = add_mixed(db, 400)

    def storm(said: str, recipient: str) -> str | None:
        refused = said == "RCPT" and recipient.endswith("big.example")
        return "550 5.7.1 Blocked" if refused else None

    async with MoodyRelay(Inbox(), storm) as relay:
        posts = [make_post(db, relay.port, worker=name) for name in "ab"]
        await asyncio.gather(*(drain(post, clock=Clock()) for post in posts))

    states = Counter(row.state for row in rows_of(db, edition))
    status = progress.status(db, edition_id=edition.id, now=NOW)
    assert status.state == EditionState.PAUSED
    assert states["deferred"] + states["sent"] <= 200
    assert suppressed(db) == 0


async def test_all_get_their_letter_once_the_storm_is_over(
    sqlite_db: Database,
) -> None:
    edition, inbox, clock = add_mixed(sqlite_db, 60), Inbox(), Clock()
    angry = [True]

    def storm(said: str, recipient: str) -> str | None:
        refused = said == "RCPT" and recipient.endswith("big.example")
        return "550 5.7.1 Blocked" if refused and angry else None

    async with MoodyRelay(inbox, storm) as relay:
        post = make_post(sqlite_db, relay.port)
        await drain(post, clock=clock)
        angry.clear()
        clock.move(hours=1)
        steering.resume(sqlite_db, edition_id=edition.id, actor=DESK, now=clock.now)
        await drain(post, clock=clock)

    assert len(inbox.recipients()) == len(set(inbox.recipients())) == 60


FAULTS = [
    ("RCPT", "550 5.1.1 No such user", "failed"),
    ("RCPT", "552 5.2.2 Mailbox full", "deferred"),
    ("RCPT", "451 4.7.1 Greylisted", "deferred"),
    ("RCPT", "421 4.3.2 Closing", "deferred"),
    (".", "451 4.3.0 Later", "deferred"),
    (".", "554 5.6.0 Malformed", "failed"),
]


@pytest.mark.parametrize(("verb", "answer", "state"), FAULTS)
async def test_faults_of_recipients_and_the_way_never_pause(
    sqlite_db: Database, verb: str, answer: str, state: str
) -> None:
    edition = add_mixed(sqlite_db, 40)

    def mood(said: str, recipient: str) -> str | None:
        refused = said == verb and recipient.endswith("big.example")
        return answer if refused else None

    async with MoodyRelay(Inbox(), mood) as relay:
        await drain(make_post(sqlite_db, relay.port), clock=Clock())

    states = Counter(row.state for row in rows_of(sqlite_db, edition))
    status = progress.status(sqlite_db, edition_id=edition.id, now=NOW)
    assert status.state != EditionState.PAUSED
    assert states == {state: 20, "sent": 20}


async def test_the_ramp_sends_the_newest_first_and_the_rest_tomorrow(
    sqlite_db: Database,
) -> None:
    newsletter = add_newsletter(sqlite_db)
    for number in range(30):
        confirmed = NOW - timedelta(days=number)
        add_reader(
            sqlite_db, newsletter, f"r{number:02}@a.example", confirmed_at=confirmed
        )
    edition = add_edition(sqlite_db, newsletter)
    release_edition(sqlite_db, edition, chunk_size=12)
    inbox, clock, sent = Inbox(), Clock(), []

    async with inbox.sink() as sink:
        rules = RateRules(warm_up=[5, 10])
        post = make_post(sqlite_db, sink.port, rates=rules)
        for _ in range(3):
            await drain(post, clock=clock)
            sent.append(len(inbox.received))
            clock.move(days=1)

    assert sent == [5, 15, 30]
    first = sorted(r for letter in inbox.received[:5] for r in letter.recipients)
    assert first == [f"r{number:02}@a.example" for number in range(5)]


async def test_the_ramp_holds_up_no_confirmation(sqlite_db: Database) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 3)
    release_edition(sqlite_db, add_edition(sqlite_db, newsletter))
    with sqlite_db.write() as tx:
        notices.add(tx, make_notice(), now=NOW)
    inbox = Inbox()

    async with inbox.sink() as sink:
        rules = RateRules(warm_up=[1])
        post = make_post(sqlite_db, sink.port, rates=rules)
        totals = await drain(post, clock=Clock())

    assert "bob@example.com" in inbox.recipients()
    assert (totals.sent, totals.waiting) == (2, 2)


async def test_a_slow_domain_is_due_again_when_it_has_permits(
    db: Database,
) -> None:
    edition, inbox, clock = add_mixed(db, 6), Inbox(), Clock()

    async with inbox.sink() as sink:
        rules = RateRules(domains={"big.example": 1})
        post = make_post(db, sink.port, rates=rules)
        await drain(post, clock=clock)
        early = Counter(r.partition("@")[2] for r in inbox.recipients())
        clock.move(minutes=1)
        await drain(post, clock=clock)
        later = Counter(r.partition("@")[2] for r in inbox.recipients())

    assert early == {"small.example": 3, "big.example": 1}
    assert later == {"small.example": 3, "big.example": 2}
    status = progress.status(db, edition_id=edition.id, now=NOW)
    assert status.counts[DeliveryState.QUEUED] == 1


async def test_workers_under_a_limit_carry_everything_once(db: Database) -> None:
    add_mixed(db, 40)
    inbox = Inbox()

    async with inbox.sink() as sink:
        rules = RateRules(relay=60_000, domains={"*": 30_000})
        posts = [make_post(db, sink.port, worker=n, rates=rules) for n in "ab"]
        await asyncio.gather(*(drain(post, clock=Clock()) for post in posts))

    assert len(inbox.recipients()) == len(set(inbox.recipients())) == 40
