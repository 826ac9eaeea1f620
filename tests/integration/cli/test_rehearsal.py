"""`editions rehearse`: the whole list, on this machine, and nothing is changed."""

import fcntl
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from digest.cli.rehearsal import Counter, public_half, sweep
from digest.domain.editions import Edition
from digest.mail.dkim import Signer, generate_key
from digest.mail.sink import Received
from digest.storage import editions, newsletters, tables
from digest.storage.engine import Database
from tests.conftest import Ran
from tests.posting import add_edition, add_reader, audit_of

Cli = Callable[..., Ran]


@pytest.fixture
def db(installed: Cli, tmp_path: Path) -> Iterator[Database]:
    """The database of an installation that `init` made, with three readers."""
    found = Database(f"sqlite:///{tmp_path / 'home' / 'digest.db'}")
    with found.read() as tx:
        newsletter = newsletters.get(tx, "weekly")
    for number in range(3):
        add_reader(found, newsletter, f"r{number}@example.com")
    yield found
    found.close()


@pytest.fixture
def edition(db: Database) -> Edition:
    """An approved edition."""
    with db.read() as tx:
        return add_edition(db, newsletters.get(tx, "weekly"))


def test_every_letter_is_posted_and_nothing_of_it_is_kept(
    cli: Cli, db: Database, edition: Edition, tmp_path: Path
) -> None:
    cli("dkim", "generate")

    ran = cli("editions", "rehearse", str(edition.id), "--json")

    document = ran.document
    assert ran.status == 0
    assert (document["letters"], document["sent"], document["taken"]) == (3, 3, 3)
    assert (document["signed"], document["signatures_verified"]) == (True, 3)
    assert document["signature_faults"] == document["failures"] == []
    with db.read() as tx:
        assert editions.get(tx, edition.id) == edition
        for table in (tables.deliveries, tables.chunks, tables.notices):
            assert tx.execute(select(func.count()).select_from(table)).scalar() == 0
    assert audit_of(db)[-1][0] == "edition.rehearsed"
    assert list((tmp_path / "home").glob("rehearsal-*")) == []


def test_tells_a_person_how_long_it_would_take(
    cli: Cli, edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_SMTP__RATE_PER_MINUTE", "1")

    ran = cli("editions", "rehearse", str(edition.id))

    assert "3 letters were rendered and posted, unsigned, to this machine" in ran.out
    assert "The edition would take 0:03:00, by the limits" in ran.out
    assert "Nobody got mail; the edition is as it was." in ran.out


def test_a_letter_that_cannot_be_written_is_named(
    cli: Cli, db: Database, edition: Edition
) -> None:
    with db.write() as tx:
        tx.execute(
            update(tables.subscribers)
            .where(tables.subscribers.c.id == 2)
            .values(address="r1\r\nBcc: x@example.com")
        )

    ran = cli("editions", "rehearse", str(edition.id), "--json")

    assert ran.status == 1
    assert (ran.document["sent"], ran.document["failed"]) == (2, 1)
    assert ran.document["failures"][0]["address"].startswith("r1\r\n")


def test_a_draft_is_rehearsed_as_it_stands(cli: Cli, db: Database) -> None:
    cli(
        *("articles", "add", "--title", "The council meets", "--standfirst", "It met."),
        *("--url", "https://a.example/council", "--section", "news"),
    )
    with db.write() as tx:
        tx.execute(
            update(tables.subscriptions)
            .where(tables.subscriptions.c.id == 1)
            .values(sections="arts", format="text")
        )
    number = cli("editions", "compose", "--json").document["edition"]["id"]

    document = cli("editions", "rehearse", str(number), "--json").document

    assert (document["sent"], document["variants"]) == (3, 3)
    assert cli("editions", "show", str(number), "--json").document["state"] == "draft"


def test_what_a_killed_rehearsal_left_goes(
    cli: Cli, edition: Edition, tmp_path: Path
) -> None:
    left = tmp_path / "home" / "rehearsal-left"
    left.mkdir()
    (left / "digest.db").write_bytes(b"addresses")

    ran = cli("editions", "rehearse", str(edition.id))

    assert ran.status == 0
    assert not left.exists()


@pytest.mark.parametrize("is_running", [False, True])
def test_a_service_that_starts_sweeps_but_never_under_a_rehearsal(
    cli: Cli, db: Database, tmp_path: Path, *, is_running: bool
) -> None:
    left = tmp_path / "home" / "rehearsal-left"
    left.mkdir()

    with (tmp_path / "home" / "rehearsal.lock").open("w") as lock:
        if is_running:
            fcntl.flock(lock, fcntl.LOCK_EX)
        sweep(tmp_path / "home")

    assert left.exists() is is_running


def test_serving_begins_with_a_sweep(
    cli: Cli, db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / "home" / "rehearsal-left"
    left.mkdir()

    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("DIGEST_WEB__PORT", str(taken.getsockname()[1]))
        ran = cli("serve", "--only", "web")  # it ends at once: the port is taken

    assert ran.status == 1
    assert not left.exists()


def test_two_at_once_are_one_too_many(
    cli: Cli, edition: Edition, tmp_path: Path
) -> None:
    with (tmp_path / "home" / "rehearsal.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        ran = cli("editions", "rehearse", str(edition.id))

    assert ran.status == 1
    assert "A rehearsal is running already." in ran.err


def test_without_readers_there_is_nothing_to_rehearse(
    cli: Cli, db: Database, edition: Edition
) -> None:
    with db.write() as tx:
        tx.execute(update(tables.subscriptions).values(state="unsubscribed"))

    ran = cli("editions", "rehearse", str(edition.id))

    assert ran.status == 1
    assert "has no reader" in ran.err


def test_what_is_at_the_post_is_not_rehearsed(
    cli: Cli, db: Database, edition: Edition
) -> None:
    with db.write() as tx:
        tx.execute(update(tables.editions).values(state="sent"))

    ran = cli("editions", "rehearse", str(edition.id))

    assert ran.status == 1
    assert "is sent and cannot be changed" in ran.err


def test_a_signature_that_does_not_hold_is_counted() -> None:
    signer = Signer("example.com", "digest", generate_key())
    counter = Counter(public_half(signer))

    counter.take(Received("", ("bob@example.com",), b"From: a@example.com\r\n\r\nHi"))

    total = counter.total()
    assert (total.letters, total.verified, len(total.faults)) == (1, 1, 1)
