"""What is kept, for how long, and what comes back to it later."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import event

from digest.bootstrap import Service
from digest.domain.actor import READER
from digest.domain.own_mail import InboxState, MessageKind, Verdict
from digest.inbound import handling, running
from digest.storage import auto_replies, inbox, subscribers
from digest.storage.engine import Database
from digest.subscriptions import erase
from tests.builders import NOW
from tests.integration.inbound.writing import (
    ALICE,
    DOMAIN,
    add_reader,
    later,
    letters,
    make_message,
    rows,
    send,
    states,
    verdict,
)


def leave_behind(service: Service, name: str, raw: bytes = b"") -> int:
    """A message that was kept just before a crash."""
    with service.db.write() as tx:
        return inbox.add(
            tx,
            raw=raw or make_message(),
            sender=ALICE,
            recipient=f"{name}@{DOMAIN}",
            now=service.now(),
        )


@pytest.mark.usefixtures("weekly")
async def test_what_a_crash_left_is_acted_upon_at_the_next_start(
    service: Service,
) -> None:
    token = add_reader(service)
    leave_behind(service, f"unsubscribe+{token}")
    stop = asyncio.Event()
    running_on = asyncio.create_task(
        running.run(later(service, minutes=3), stop=stop, ready=lambda _port: None)
    )

    while states(service) == ["active"]:  # noqa: ASYNC110 - the database tells nobody
        await asyncio.sleep(0.01)

    stop.set()
    await running_on
    assert verdict(service)[0] == "done"


@pytest.mark.usefixtures("weekly")
def test_what_was_taken_just_now_is_left_to_who_took_it(service: Service) -> None:
    leave_behind(service, "subscribe")

    swept = handling.sweep(service)

    assert swept.handled == 0


@pytest.mark.usefixtures("weekly")
def test_a_crash_after_the_effect_does_nothing_twice(service: Service) -> None:
    message = leave_behind(service, "unsubscribe", make_message())
    handling.handle(service, message)
    with service.db.write() as tx:
        tx.exec_driver_sql("UPDATE inbox SET state = 'received'")
        tx.exec_driver_sql("DELETE FROM auto_replies")

    handling.handle(service, message)

    assert len(letters(service)) == 1


@pytest.mark.usefixtures("weekly")
def test_acting_twice_is_acting_once(service: Service) -> None:
    message = leave_behind(service, "subscribe")

    verdicts = [handling.handle(service, message) for _ in range(2)]

    assert [each is None for each in verdicts] == [False, True]


@pytest.mark.usefixtures("weekly")
def test_a_message_that_fails_again_and_again_waits_for_an_operator(
    service: Service,
) -> None:
    message = leave_behind(service, "subscribe")
    with service.db.write() as tx:
        tx.exec_driver_sql("UPDATE inbox SET tries = 5")

    handling.handle(service, message)

    assert verdict(service)[::2] == (
        "quarantined",
        "Acting upon it failed again and again.",
    )


def test_a_message_that_nobody_thought_of_stops_nothing(service: Service) -> None:
    # There is no newsletter that could be subscribed to.
    send(service, "subscribe")

    assert verdict(service)[0] == "quarantined"
    assert verdict(service)[2].startswith("Acting upon it failed:")


@pytest.mark.usefixtures("weekly")
def test_what_was_acted_upon_is_forgotten_and_the_quarantine_is_not(
    service: Service,
) -> None:
    send(service, "subscribe")
    send(service, "complaints")

    swept = handling.sweep(later(service, days=31))

    assert swept.forgotten == 1
    assert [row.state for row in rows(service, "inbox")] == ["quarantined"]
    assert rows(service, "auto_replies") == []


@pytest.mark.usefixtures("weekly")
def test_an_erased_reader_is_erased_from_what_they_wrote(service: Service) -> None:
    add_reader(service)
    send(service, "abuse", make_message("Call me."))
    send(service, "abuse", make_message(f"About {ALICE}", author="bob@example.net"))
    send(service, "abuse", make_message(author="bob@example.net"), sender="")
    with service.db.read() as tx:
        reader = subscribers.find(tx, ALICE)
    assert reader is not None

    erase.erase(
        service.db,
        subscriber_id=reader.id,
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )

    assert [row.sender for row in rows(service, "inbox")] == [""]
    told = [f"{row.text}{row.html}" for row in rows(service, "notices")]
    assert [ALICE in each for each in told] == [False] * 2


@pytest.mark.usefixtures("weekly")
def test_erasing_reads_what_is_kept_while_others_write(service: Service) -> None:
    add_reader(service)
    send(service, "complaints", make_message(f"About {ALICE}"), sender="")
    searched: list[str] = []
    event.listen(
        service.db.engine,
        "before_cursor_execute",
        lambda _c, _u, statement, *_: searched.append(statement),
    )

    erase.erase(
        service.db,
        subscriber_id=1,
        secrets=service.secrets,
        actor=READER,
        now=service.now() + timedelta(days=1),
    )

    begun = searched.index("BEGIN IMMEDIATE")
    assert any("instr" in each for each in searched[:begun])
    late = [each for each in searched[begun:] if "instr" in each]
    assert [each.count("received_at >=") for each in late] == [1]
    assert rows(service, "inbox") == []


def test_the_quarantine_is_listed_page_by_page(db: Database) -> None:
    kept = Verdict(state=InboxState.QUARANTINED, kind=MessageKind.BOUNCE, why="x")
    with db.write() as tx:
        for _ in range(3):
            one = inbox.add(tx, raw=b"\0\xff", sender="", recipient="a@b", now=NOW)
            inbox.settle(tx, one, kept, now=NOW)
    with db.read() as tx:
        first = inbox.list_quarantined(tx, limit=2)

        rest = inbox.list_quarantined(
            tx, kind=MessageKind.BOUNCE, after=first[-1].id, limit=2
        )

    assert [len(first), len(rest)] == [2, 1]


def test_octets_come_back_as_they_went_in(db: Database) -> None:
    raw = bytes(range(256))
    with db.write() as tx:
        one = inbox.add(tx, raw=raw, sender="é@x", recipient="a@b", now=NOW)
    with db.read() as tx:
        kept, found = inbox.look(tx, one)

    assert (found, kept.octets, kept.sender) == (raw, 256, "é@x")


def test_a_senders_messages_are_found_on_both_databases(db: Database) -> None:
    with db.write() as tx:
        for raw, sender in ((b"", "Alice@x.example"), (b"\0 alice@x.example", "")):
            inbox.add(tx, raw=raw, sender=sender, recipient="a@b", now=NOW)
        inbox.add(tx, raw=b"bob", sender="bob@x.example", recipient="a@b", now=NOW)

        gone = inbox.forget_sender(tx, "Alice@x.example", known=[], since=NOW)

    assert gone == 2


def test_only_the_quarantine_can_be_deleted(db: Database) -> None:
    with db.write() as tx:
        waiting = inbox.add(tx, raw=b"x", sender="", recipient="a@b", now=NOW)

        gone = inbox.delete_quarantined(tx, [waiting, 99])

    assert list(gone) == []


def test_an_address_is_claimed_once_a_day_and_once_a_week_for_help(
    db: Database,
) -> None:
    asked = [(0, True), (0.5, False), (1, False), (3, True), (8.5, True)]
    with db.write() as tx:
        claimed = [
            auto_replies.claim(
                tx, "h" * 64, is_help=is_help, now=NOW + timedelta(days=days)
            )
            for days, is_help in asked
        ]

    assert claimed == [True, False, True, False, True]
