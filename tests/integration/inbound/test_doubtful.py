"""Messages that cannot be trusted, read or answered: kept, and nothing else."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import event

from digest.bootstrap import Service
from digest.domain.actor import READER
from digest.domain.site import Site
from digest.domain.tokens import Purpose
from digest.inbound import handling, running
from digest.storage import inbox
from digest.subscriptions import erase
from tests.builders import SECRETS
from tests.conftest import Ran
from tests.integration.inbound.writing import (
    DOMAIN,
    add_reader,
    ask,
    letters,
    make_message,
    rows,
    send,
    states,
    verdict,
)

pytestmark = pytest.mark.usefixtures("weekly")
HUGE_HEADER = b"From: alice@example.org\r\nX: " + b"y" * 200_000 + b"\r\n\r\nyes\r\n"
NO_SENDERS = ["not an address", f"abuse@{DOMAIN}", "a@b@c.example", "x" * 300]


@pytest.fixture
def locked(service: Service) -> Iterator[sqlite3.Connection]:
    """Another program holds the database."""
    event.listen(
        service.db.engine, "connect", lambda c, _: c.execute("PRAGMA busy_timeout = 50")
    )
    service.db.engine.dispose()
    other = sqlite3.connect(service.settings.home / "digest.db")
    yield other
    other.close()


def test_a_forged_token_leaves_nothing(service: Service) -> None:
    token = add_reader(service)
    forged = token[:-3] + ("aaa" if token[-3:] != "aaa" else "bbb")

    send(service, f"unsubscribe+{forged}")

    assert states(service) == ["active"]
    assert verdict(service)[::2] == ("quarantined", "Its token is none of ours.")


@pytest.mark.parametrize("other", list(Purpose))
def test_only_a_leave_token_leaves(service: Service, other: Purpose) -> None:
    add_reader(service)
    token = SECRETS.tokens.issue(other, 1, at=service.now())

    send(service, f"unsubscribe+{token}")

    left = other is Purpose.UNSUBSCRIBE
    assert states(service) == ["unsubscribed" if left else "active"]


def test_a_leave_token_leaves_also_with_a_message_beyond_the_limits(
    service: Service,
) -> None:
    token = add_reader(service)

    send(service, f"unsubscribe+{token}", HUGE_HEADER)

    assert states(service) == ["unsubscribed"]


@pytest.mark.parametrize("to", ["confirm", "subscribe", "unsubscribe", "abuse"])
def test_beyond_the_limits_a_message_waits_for_an_operator(
    service: Service, to: str
) -> None:
    token = ask(service)
    to = f"confirm+{token}" if to == "confirm" else to

    send(service, to, HUGE_HEADER)

    assert states(service) == ["pending"]
    assert verdict(service)[0] == "quarantined"


def test_a_confirmation_without_an_author_confirms_nothing(service: Service) -> None:
    token = ask(service)

    send(service, f"confirm+{token}", b"Subject: yes\r\n\r\nyes\r\n")

    assert states(service) == ["pending"]
    assert verdict(service)[0] == "quarantined"


def test_an_erased_reader_confirms_nothing(service: Service) -> None:
    token = ask(service)
    erase.erase(
        service.db,
        subscriber_id=1,
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )

    send(service, f"confirm+{token}")

    assert verdict(service)[2] == "There is nothing to confirm any more."


@pytest.mark.parametrize("sender", NO_SENDERS)
@pytest.mark.parametrize("words", ["help", "stop"])
def test_a_sender_that_cannot_be_answered_is_not(
    service: Service, sender: str, words: str
) -> None:
    send(service, "unsubscribe", make_message(words), sender=sender)

    assert letters(service) == []
    assert verdict(service)[0] == "quarantined"


def test_a_message_for_the_domain_we_had_is_kept(service: Service) -> None:
    with service.db.write() as tx:
        message = inbox.add(
            tx, raw=b"x", sender="", recipient="abuse@old.example", now=service.now()
        )

    handling.handle(service, message)

    assert verdict(service)[2] == "No address of ours any more."


def test_a_new_domain_takes_no_mail_for_the_old_one(service: Service) -> None:
    site = Site(base_url="https://new.example.test", mail_domain="new.example.test")

    reply = send(replace(service, site=site), "subscribe")

    assert reply.startswith("550")


def test_what_cannot_be_acted_upon_now_waits(
    service: Service, locked: sqlite3.Connection
) -> None:
    send(service, "complaints")
    with service.db.write() as tx:
        tx.exec_driver_sql("UPDATE inbox SET state = 'received'")
    locked.execute("BEGIN IMMEDIATE")

    verdicts = [handling.handle(service, 1)]

    locked.rollback()
    verdicts.append(handling.handle(service, 1))
    assert [each is None for each in verdicts] == [True, False]


async def test_a_round_that_fails_ends_nothing(
    service: Service, locked: sqlite3.Connection
) -> None:
    locked.execute("BEGIN IMMEDIATE")
    stop = asyncio.Event()
    running_on = asyncio.create_task(
        running.run(service, stop=stop, ready=lambda _port: None)
    )

    await asyncio.wait({running_on}, timeout=0.3)

    still_there = not running_on.done()
    locked.rollback()
    stop.set()
    await running_on
    assert still_there


def test_a_mail_domain_in_any_case_is_ours(service: Service) -> None:
    reply = send(service, f"ABUSE@{DOMAIN.upper()}.".partition("@")[0])

    assert reply.startswith("250")
    assert rows(service, "inbox")[0].recipient == f"abuse@{DOMAIN}"


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("", "Taking no mail in: inbound.protocol is none.\n"),
        ("mail", "Reading mail from maildir.\n"),
    ],
)
def test_serving_only_mail_says_how_it_comes_in(
    cli: Callable[..., Ran],
    monkeypatch: pytest.MonkeyPatch,
    folder: str,
    expected: str,
) -> None:
    cli("init")
    monkeypatch.setenv("DIGEST_MAILDIR__FOLDER", folder)
    command = [sys.executable, "-m", "digest", "serve", "--only", "inbound"]

    with subprocess.Popen(  # noqa: S603 - our own program
        command, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        process.terminate()
        try:
            status = process.wait(30)
        finally:
            process.kill()

    assert (status, said) == (0, expected)
