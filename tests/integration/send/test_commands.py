"""The commands of the post: one JSON document each, plain lines, one-line errors."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from digest.bootstrap import make_site, utc_now
from digest.compose.content import content_hash
from digest.domain.editions import Edition
from digest.send.worker import drain
from digest.settings import load_settings
from digest.storage import editions, newsletters, tables
from digest.storage.engine import Database
from digest.templating import Templates
from tests.builders import NOW, SECRETS
from tests.conftest import Ran
from tests.posting import (
    Inbox,
    add_edition,
    add_readers,
    make_post,
    mark_sent,
    put_in_doubt,
    rows_of,
)

Run = Callable[..., Ran]


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """A sink in a thread of its own, and the settings that lead there."""
    found, ready, stop = Inbox(), threading.Event(), asyncio.Event()
    ports: list[int] = []
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        async with found.sink() as sink:
            ports.append(sink.port)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait(10)
    monkeypatch.setenv("DIGEST_SMTP__PORT", str(ports[0]))
    monkeypatch.setenv("DIGEST_SMTP__SECURITY", "none")
    yield found
    loops[0].call_soon_threadsafe(stop.set)
    thread.join()


@pytest.fixture
def db(installed: Run, tmp_path: Path) -> Iterator[Database]:
    """The database of an installation that `init` made."""
    found = Database(f"sqlite:///{tmp_path / 'home' / 'digest.db'}")
    yield found
    found.close()


@pytest.fixture
def edition(db: Database) -> Edition:
    """An approved edition with three readers."""
    with db.read() as tx:
        newsletter = newsletters.get(tx, "weekly")
    add_readers(db, newsletter, 3)
    made = add_edition(db, newsletter)
    site = make_site(load_settings(environ={}))
    stamp = content_hash(made, newsletter, [], templates=Templates(), site=site)
    with db.write() as tx:
        tx.execute(
            update(tables.editions).values(content_hash=stamp, approved_hash=stamp)
        )
        return editions.get(tx, made.id)


def test_released_letters_are_carried_by_the_worker(
    cli: Run, db: Database, edition: Edition, inbox: Inbox
) -> None:
    released = cli("editions", "release", str(edition.id), "--json")
    carried = cli("worker", "--once", "--json")
    status = cli("editions", "status", str(edition.id), "--json")

    assert released.document["edition"]["state"] == "sending"
    assert carried.document["sent"] == len(inbox.received) == 3
    assert status.document["state"] == "sent"
    assert status.document["counts"]["sent"] == 3


def test_status_has_the_promised_fields(cli: Run, edition: Edition) -> None:
    cli("editions", "release", str(edition.id))

    document = cli("editions", "status", str(edition.id), "--json").document

    assert {
        *("state", "counts", "started_at", "finished_at", "rate_per_second", "eta")
    } <= set(document)
    assert set(document["counts"]) == {
        *("queued", "dispatching", "sent", "deferred", "failed", "uncertain"),
        "skipped",
    }


def test_watching_ends_with_the_edition(
    cli: Run, edition: Edition, inbox: Inbox
) -> None:
    cli("editions", "release", str(edition.id))
    cli("worker", "--once")

    ran = cli("editions", "status", str(edition.id), "--watch")

    assert ran.status == 0
    assert "is sent: 3 sent" in ran.out


def test_watching_follows_a_send(
    cli: Run, db: Database, edition: Edition, inbox: Inbox
) -> None:
    cli("editions", "release", str(edition.id))
    port = int(os.environ["DIGEST_SMTP__PORT"])
    post = make_post(db, port, secrets=SECRETS)
    worker = threading.Timer(0.2, lambda: asyncio.run(drain(post, clock=utc_now)))
    worker.start()

    ran = cli("editions", "status", str(edition.id), "--watch")

    worker.join()
    assert "is sent: 3 sent" in ran.out


def test_releases_later_in_the_newsletters_time(cli: Run, edition: Edition) -> None:
    ran = cli("editions", "release", str(edition.id), "--at", "2090-01-01 10:00")

    assert ran.status == 0
    assert "2090-01-01T08:00:00+00:00" in ran.out


def test_a_time_that_has_passed_is_refused_in_one_line(
    cli: Run, edition: Edition
) -> None:
    ran = cli("editions", "release", str(edition.id), "--at", "2024-05-12 19:00")

    status = cli("editions", "status", str(edition.id), "--json")
    assert ran.status == 2
    assert ran.err.count("\n") == 1
    assert "Leave out --at to send now" in ran.err
    assert status.document["state"] == "approved"


def test_a_second_release_is_refused_in_one_line(cli: Run, edition: Edition) -> None:
    cli("editions", "release", str(edition.id))

    ran = cli("editions", "release", str(edition.id))

    assert ran.status == 1
    assert ran.err.count("\n") == 1
    assert "released before" in ran.err


def test_pause_resume_and_cancel_say_what_happens(cli: Run, edition: Edition) -> None:
    name = str(edition.id)
    cli("editions", "release", name)

    paused = cli("editions", "pause", name, "--reason", "a mistake")
    resumed = cli("editions", "resume", name)
    cancelled = cli("editions", "cancel", name)

    assert "is paused (a mistake)" in paused.out
    assert "is sending" in resumed.out
    assert "3 letters are not sent" in cancelled.out


def test_a_test_letter_reaches_the_desk_only(
    cli: Run, db: Database, edition: Edition, inbox: Inbox
) -> None:
    ran = cli("editions", "test", str(edition.id), "--to", "editor@example.com")
    cli("worker", "--once")

    (message,) = inbox.messages()
    assert ran.status == 0
    assert message["To"] == "editor@example.com"
    assert message["Subject"].startswith("[TEST] ")


def test_an_unreachable_relay_is_one_line_that_names_the_mend(
    cli: Run, edition: Edition, unused_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_SMTP__PORT", str(unused_port))
    cli("editions", "release", str(edition.id))

    ran = cli("worker", "--once", "--json")

    assert ran.status == 1
    assert "3 wait" in ran.document["error"]
    assert "DIGEST_SMTP__HOST" in ran.document["mend"]


def test_what_cannot_be_done_now_names_a_command(cli: Run, edition: Edition) -> None:
    ran = cli("editions", "pause", str(edition.id))

    assert ran.status == 1
    assert f"Edition {edition.id} is approved and cannot become paused" in ran.err
    assert f"digest editions status {edition.id}" in ran.err


def test_nothing_due_is_no_error(cli: Run, db: Database) -> None:
    ran = cli("worker", "--once")

    assert (ran.status, ran.out) == (0, "Nothing was due.\n")


def test_two_processes_say_what_both_have_done(
    cli: Run, edition: Edition, inbox: Inbox
) -> None:
    cli("editions", "release", str(edition.id))

    ran = cli("worker", "--once", "--processes", "2", "--json")

    assert ran.status == 0
    assert ran.document["sent"] == len(inbox.received) == 3
    assert ran.document["waiting"] == 0


def test_a_process_that_cannot_work_says_why_through_its_parent(
    cli: Run, db: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "home/keys/dkim-digest.pem").write_text("no key")

    ran = cli("worker", "--once", "--processes", "2")

    assert ran.status == 1
    assert "DKIM" in ran.err


def test_lists_letters_with_their_message_ids(
    cli: Run, db: Database, edition: Edition, inbox: Inbox
) -> None:
    cli("editions", "release", str(edition.id))
    cli("worker", "--once")

    first = cli("deliveries", "list", str(edition.id), "--limit", "2", "--json")
    rest = cli(
        *("deliveries", "list", str(edition.id), "--json"),
        *("--after", str(first.document["next"])),
    )

    listed = [*first.document["items"], *rest.document["items"]]
    sent = {str(message["Message-ID"]) for message in inbox.messages()}
    assert {row["message_id"] for row in listed} == sent
    assert {*("id", "address", "state", "attempts", "smtp_code", "reason")} <= set(
        listed[0]
    )


def test_lists_by_state_for_people(cli: Run, edition: Edition) -> None:
    cli("editions", "release", str(edition.id))

    queued = cli("deliveries", "list", str(edition.id), "--limit", "1")
    failed = cli("deliveries", "list", str(edition.id), "--state", "failed")

    assert "queued" in queued.out
    assert "More: --after" in queued.out
    assert failed.out == "None.\n"


def test_settles_letters_in_doubt(cli: Run, db: Database, edition: Edition) -> None:
    cli("editions", "release", str(edition.id))
    put_in_doubt(db, edition)

    status = cli("editions", "status", str(edition.id))
    ran = cli("deliveries", "settle", str(edition.id), "--uncertain", "sent", "--json")

    assert f"deliveries settle {edition.id} --uncertain resend" in status.out
    assert ran.document == {"settled": 1, "to": "sent"}


def test_settling_for_people_says_what_happens(cli: Run, edition: Edition) -> None:
    cli("editions", "release", str(edition.id))

    ran = cli("deliveries", "settle", str(edition.id), "--uncertain", "resend")

    assert ran.out == "0 letters wait to be sent again.\n"


def test_a_pause_says_what_waits_and_the_ways_out(
    cli: Run, db: Database, edition: Edition
) -> None:
    cli("editions", "release", str(edition.id))
    mark_sent(db, edition.id, 2, at=NOW)

    ran = cli("editions", "pause", str(edition.id))

    assert "1 letter waits." in ran.out
    assert f"digest editions resume {edition.id};" in ran.out
    assert f"digest editions cancel {edition.id}\n" in ran.out


def test_a_pause_of_the_worker_says_where_to_look(
    cli: Run, db: Database, edition: Edition
) -> None:
    cli("editions", "release", str(edition.id))
    first, second, _ = (row.id for row in rows_of(db, edition))
    c = tables.deliveries.c
    with db.write() as tx:
        change = update(tables.deliveries)
        tx.execute(change.where(c.id == first).values(state="deferred"))
        tx.execute(change.where(c.id == second).values(state="dispatching"))

    paused = cli("editions", "pause", str(edition.id), "--reason", "a storm")
    cancelled = cli("editions", "cancel", str(edition.id))

    assert "2 letters wait; those under way (1) finish." in paused.out
    assert "--state deferred" in paused.out
    assert "2 letters are not sent, 1 under way, 0 sent before" in cancelled.out


def test_one_letter_is_counted_as_one(cli: Run, db: Database, edition: Edition) -> None:
    cli("editions", "release", str(edition.id))
    put_in_doubt(db, edition)

    ran = cli("deliveries", "settle", str(edition.id), "--uncertain", "resend")

    assert ran.out == "1 letter waits to be sent again.\n"


def test_a_mistake_is_called_back_and_corrected(
    cli: Run, db: Database, edition: Edition, tmp_path: Path
) -> None:
    name = str(edition.id)
    cli("editions", "release", name)
    mark_sent(db, edition.id, 1, at=NOW)
    (tmp_path / "words.txt").write_text("It did not open.\n", encoding="utf-8")

    recalled = cli("editions", "recall", name, "--because", "wrong name")
    empty = cli("editions", "correct", name)
    corrected = cli("editions", "correct", name, "--words-file", "words.txt")
    listed = cli("editions", "list").out

    assert "2 letters are not sent; 1 went out, 0 under way, 0 in doubt" in recalled.out
    assert f"digest editions correct {name} --words TEXT" in recalled.out
    assert (empty.status, corrected.status) == (2, 0)
    assert f"It is for 1 reader who got edition {name}." in corrected.out
    assert f"(corrects edition {name})" in listed
    again = cli("editions", "recall", name, "--json")
    assert (again.status, "went out" in again.document["error"]) == (1, True)


def test_words_that_cannot_be_read_are_named(cli: Run, edition: Edition) -> None:
    ran = cli("editions", "correct", str(edition.id), "--words-file", "none.txt")

    assert ran.status == 2
    assert "none.txt cannot be read" in ran.err
