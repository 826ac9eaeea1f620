"""The worker over real SMTP: every reader gets one letter, whatever happens."""

import asyncio
from datetime import timedelta

import pytest

from digest.domain.addresses import parse_address
from digest.domain.deliveries import UncertainPolicy
from digest.domain.editions import Edition, Variant
from digest.domain.states import (
    DeliveryState,
    EditionState,
    SkipReason,
    SubscriptionState,
    SuppressionReason,
)
from digest.domain.tokens import Purpose
from digest.mail.dkim import Signer, generate_key
from digest.mail.sink import Received, Sink
from digest.send import progress, proof, steering
from digest.send.worker import drain, work
from digest.storage import editions, notices, subscriptions, suppressions
from digest.storage.engine import Database
from tests.builders import NOW, SECRETS, SITE, add_newsletter
from tests.posting import (
    DESK,
    Clock,
    Inbox,
    MoodyRelay,
    add_edition,
    add_reader,
    add_readers,
    lose_answers,
    make_notice,
    make_post,
    notices_of,
    release_edition,
    rows_of,
    states_of,
)


async def test_every_active_reader_gets_exactly_one_letter(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 25)
    add_reader(db, newsletter, "bob@example.com", state=SubscriptionState.PENDING)
    add_reader(db, newsletter, "dan@example.com", state=SubscriptionState.UNSUBSCRIBED)
    edition = add_edition(db, newsletter)
    release_edition(db, edition, chunk_size=10)
    inbox = Inbox()

    async with inbox.sink() as sink:
        totals = await drain(make_post(db, sink.port), clock=lambda: NOW)

    assert inbox.recipients() == sorted(f"r{n}@example.com" for n in range(25))
    assert (totals.sent, totals.waiting) == (25, 0)


async def test_finished_edition_is_sent(sqlite_db: Database) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 2)
    edition = add_edition(sqlite_db, newsletter)
    release_edition(sqlite_db, edition)

    async with Inbox().sink() as sink:
        await drain(make_post(sqlite_db, sink.port), clock=lambda: NOW)

    status = progress.status(sqlite_db, edition_id=edition.id, now=NOW)
    assert (status.state, status.finished_at) == (EditionState.SENT, NOW)
    assert status.counts[DeliveryState.SENT] == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (SubscriptionState.UNSUBSCRIBED, SkipReason.UNSUBSCRIBED),
        (SubscriptionState.PAUSED, SkipReason.PAUSED),
    ],
)
async def test_skips_who_left_between_release_and_claim(
    db: Database, change: SubscriptionState, reason: SkipReason
) -> None:
    newsletter = add_newsletter(db)
    add_reader(db, newsletter, "alice@example.com")
    leaving = add_reader(db, newsletter, "bob@example.com")
    edition = add_edition(db, newsletter)
    release_edition(db, edition)
    _change(db, leaving, change)
    inbox = Inbox()

    async with inbox.sink() as sink:
        await drain(make_post(db, sink.port), clock=lambda: NOW)

    assert inbox.recipients() == ["alice@example.com"]
    assert states_of(db, edition)["bob@example.com"] == f"skipped:{reason}"


async def test_skips_who_was_suppressed_after_the_release(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_reader(db, newsletter, "charlie@example.com")
    edition = add_edition(db, newsletter)
    release_edition(db, edition)
    _suppress(db, "charlie@example.com")
    inbox = Inbox()

    async with inbox.sink() as sink:
        totals = await drain(make_post(db, sink.port), clock=lambda: NOW)

    assert inbox.recipients() == []
    assert totals.skipped == 1
    assert states_of(db, edition)["charlie@example.com"] == "skipped:suppressed"


async def test_obeys_an_unsubscribe_during_the_send(db: Database) -> None:
    newsletter = add_newsletter(db)
    ids = [add_reader(db, newsletter, f"r{n}@example.com") for n in range(6)]
    edition = add_edition(db, newsletter)
    release_edition(db, edition)
    inbox = Inbox()

    def leave_after_the_first(letter: Received) -> None:
        if not inbox.received:
            for number, subscription in enumerate(ids):
                if f"r{number}@example.com" not in letter.recipients:
                    _change(db, subscription, SubscriptionState.UNSUBSCRIBED)
        inbox.received.append(letter)

    async with Sink(leave_after_the_first) as sink:
        await drain(make_post(db, sink.port, connections=1), clock=lambda: NOW)

    assert len(inbox.received) == 1
    states = list(states_of(db, edition).values())
    assert states.count("skipped:unsubscribed") == 5


async def test_a_pause_during_the_send_holds_the_rest(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 6)
    edition = add_edition(db, newsletter)
    release_edition(db, edition)
    inbox = Inbox()

    def pause_at_once(letter: Received) -> None:
        inbox.received.append(letter)
        if len(inbox.received) == 1:
            steering.pause(
                db, edition_id=edition.id, reason="wait", actor=DESK, now=NOW
            )

    async with Sink(pause_at_once) as sink:
        post = make_post(db, sink.port, connections=1)
        await drain(post, clock=lambda: NOW)
        held = len(inbox.received)
        steering.resume(db, edition_id=edition.id, actor=DESK, now=NOW)
        await drain(post, clock=lambda: NOW)

    assert held == 1
    assert inbox.recipients() == sorted(f"r{n}@example.com" for n in range(6))


async def test_a_cancel_during_the_send_skips_the_rest(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 4)
    edition = add_edition(db, newsletter)
    release_edition(db, edition)
    inbox = Inbox()

    def cancel_at_once(letter: Received) -> None:
        inbox.received.append(letter)
        steering.cancel(db, edition_id=edition.id, actor=DESK, now=NOW)

    async with Sink(cancel_at_once) as sink:
        await drain(make_post(db, sink.port, connections=1), clock=lambda: NOW)

    states = sorted(states_of(db, edition).values())
    assert states == ["sent", *["skipped:cancelled"] * 3]


async def test_two_workers_share_the_chunks(db: Database) -> None:
    newsletter = add_newsletter(db)
    add_readers(db, newsletter, 40)
    edition = add_edition(db, newsletter)
    release_edition(db, edition, chunk_size=5)
    inbox = Inbox()

    async with inbox.sink() as sink:
        done = await asyncio.gather(
            drain(make_post(db, sink.port, worker="a"), clock=Clock()),
            drain(make_post(db, sink.port, worker="b"), clock=Clock()),
        )

    assert inbox.recipients() == sorted(f"r{n}@example.com" for n in range(40))
    assert sum(totals.sent for totals in done) == 40
    assert all(totals.sent for totals in done)


async def test_a_row_that_cannot_be_written_fails_alone(sqlite_db: Database) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_reader(sqlite_db, newsletter, "a b@example.com")
    add_reader(sqlite_db, newsletter, "alice@example.com")
    edition = add_edition(sqlite_db, newsletter)
    release_edition(sqlite_db, edition)
    inbox = Inbox()

    async with inbox.sink() as sink:
        totals = await drain(make_post(sqlite_db, sink.port), clock=lambda: NOW)

    assert inbox.recipients() == ["alice@example.com"]
    assert (totals.failed, totals.sent) == (1, 1)
    assert "cannot be written" in states_of(sqlite_db, edition)["a b@example.com"]


async def test_an_unreachable_relay_leaves_every_letter_queued(
    sqlite_db: Database, unused_port: int
) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 9)
    edition = add_edition(sqlite_db, newsletter)
    release_edition(sqlite_db, edition)

    totals = await drain(make_post(sqlite_db, unused_port), clock=lambda: NOW)

    assert totals.waiting == 9
    assert totals.trouble is not None
    assert set(states_of(sqlite_db, edition).values()) == {"queued"}


async def test_letters_go_out_once_the_relay_is_back(
    sqlite_db: Database, unused_port: int
) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 3)
    edition = add_edition(sqlite_db, newsletter)
    release_edition(sqlite_db, edition)
    await drain(make_post(sqlite_db, unused_port), clock=lambda: NOW)
    inbox = Inbox()

    async with inbox.sink() as sink:
        later = NOW + timedelta(minutes=1)
        await drain(make_post(sqlite_db, sink.port), clock=lambda: later)

    assert len(inbox.received) == 3


async def test_releases_a_scheduled_edition_when_it_is_due(
    sqlite_db: Database,
) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 1)
    edition = add_edition(sqlite_db, newsletter)
    release_edition(sqlite_db, edition, at=NOW + timedelta(hours=1))
    add_reader(sqlite_db, newsletter, "late@example.com")
    inbox = Inbox()

    async with inbox.sink() as sink:
        post = make_post(sqlite_db, sink.port)
        await drain(post, clock=lambda: NOW)
        early = len(inbox.received)
        due = NOW + timedelta(hours=1)
        stop = asyncio.Event()
        inbox.when(2, stop.set)
        await work(post, clock=lambda: due, stop=stop)

    assert early == 0
    assert inbox.recipients() == ["late@example.com", "r0@example.com"]


async def test_a_due_edition_that_cannot_be_released_is_taken_back(
    sqlite_db: Database,
) -> None:
    newsletter = add_newsletter(sqlite_db)
    edition = add_edition(sqlite_db, newsletter)
    release_edition(sqlite_db, edition, at=NOW + timedelta(hours=1))

    async with Inbox().sink() as sink:
        post = make_post(sqlite_db, sink.port)
        await drain(post, clock=lambda: NOW + timedelta(hours=2))

    status = progress.status(sqlite_db, edition_id=edition.id, now=NOW)
    assert status.state == EditionState.APPROVED


async def test_carries_a_notice_once(db: Database) -> None:
    with db.write() as tx:
        notices.add(tx, make_notice(), now=NOW)
    inbox = Inbox()

    async with inbox.sink() as sink:
        await drain(make_post(db, sink.port), clock=lambda: NOW)
        await drain(make_post(db, sink.port), clock=lambda: NOW)

    assert inbox.recipients() == ["bob@example.com"]
    assert [row.state for row in notices_of(db)] == ["sent"]


async def test_a_notice_has_a_signed_bounce_address(sqlite_db: Database) -> None:
    with sqlite_db.write() as tx:
        notice_id = notices.add(tx, make_notice(), now=NOW)
    inbox = Inbox()

    async with inbox.sink() as sink:
        await drain(make_post(sqlite_db, sink.port), clock=lambda: NOW)

    local = inbox.received[0].sender.partition("@")[0]
    token = SECRETS.tokens.read(Purpose.NOTICE, local.removeprefix("bounces+"), now=NOW)
    assert token is not None
    assert token.row_id == notice_id


async def test_a_notice_waits_while_the_relay_is_unreachable(
    sqlite_db: Database, unused_port: int
) -> None:
    with sqlite_db.write() as tx:
        notices.add(tx, make_notice(), now=NOW)

    totals = await drain(make_post(sqlite_db, unused_port), clock=lambda: NOW)

    (row,) = notices_of(sqlite_db)
    assert totals.waiting == 1
    assert (row.state, row.lease_owner) == ("queued", None)
    assert row.next_attempt_at > NOW


async def test_a_proof_is_marked_and_acts_on_nobody(sqlite_db: Database) -> None:
    newsletter = add_newsletter(sqlite_db)
    edition = add_edition(sqlite_db, newsletter)
    inbox = Inbox()

    async with inbox.sink() as sink:
        proof.send(
            sqlite_db,
            edition=edition,
            newsletter=newsletter,
            variant=_variant_of(sqlite_db, edition),
            address=parse_address("editor@example.com"),
            site=SITE,
            secrets=SECRETS,
            actor=DESK,
            now=NOW,
        )
        await drain(make_post(sqlite_db, sink.port), clock=lambda: NOW)

    (message,) = inbox.messages()
    token = message["List-Unsubscribe"].partition("/u/")[2].partition(">")[0]
    read = SECRETS.tokens.read(Purpose.UNSUBSCRIBE, token, now=NOW)
    assert message["Subject"] == f"[TEST] {edition.subject}"
    assert message["Auto-Submitted"] is None
    assert read is not None
    assert read.row_id == 0
    assert rows_of(sqlite_db, edition) == []


async def test_signed_letters_are_the_same_on_every_try(sqlite_db: Database) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 1)
    edition = add_edition(sqlite_db, newsletter)
    release_edition(sqlite_db, edition)
    signer = Signer(SITE.mail_domain, "s1", generate_key())
    inbox = Inbox()

    async with MoodyRelay(inbox, lose_answers(1)) as relay:
        post = make_post(
            sqlite_db, relay.port, signer=signer, uncertain=UncertainPolicy.RESEND
        )
        await drain(post, clock=lambda: NOW)
        await drain(post, clock=lambda: NOW + timedelta(hours=1))

    first, second = inbox.received
    assert first.message == second.message
    assert first.message.startswith(b"DKIM-Signature:")
    assert [row.state for row in rows_of(sqlite_db, edition)] == ["sent"]


async def test_many_editions_are_carried_side_by_side(sqlite_db: Database) -> None:
    newsletter = add_newsletter(sqlite_db)
    add_readers(sqlite_db, newsletter, 2)
    for number in range(1, 7):
        day = NOW.date() + timedelta(days=number)
        edition = add_edition(
            sqlite_db,
            newsletter,
            issue_date=day,
            number=number,
            subject=f"No. {number}",
        )
        release_edition(sqlite_db, edition, chunk_size=1)
    inbox = Inbox()

    async with inbox.sink() as sink:
        await drain(make_post(sqlite_db, sink.port), clock=lambda: NOW)

    subjects = sorted(message["Subject"] for message in inbox.messages())
    assert subjects == [f"No. {n}" for n in range(1, 7) for _ in range(2)]


def _variant_of(db: Database, edition: Edition) -> Variant:
    with db.read() as tx:
        return editions.variants(tx, edition.id)[0]


def _change(db: Database, subscription: int, state: SubscriptionState) -> None:
    with db.write() as tx:
        found = subscriptions.get(tx, subscription)
        assert found is not None
        if state == SubscriptionState.PAUSED:
            until = NOW + timedelta(days=28)
            subscriptions.pause(tx, found, until=until, now=NOW)
        else:
            subscriptions.unsubscribe(tx, found, now=NOW)


def _suppress(db: Database, address: str) -> None:
    with db.write() as tx:
        suppressions.add(
            tx,
            address_hash=SECRETS.hash_address(address),
            address=address,
            reason=SuppressionReason.COMPLAINT,
            detail="",
            now=NOW,
        )
