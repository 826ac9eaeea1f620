"""`bench send`: the real path, timed, from a place of its own, to this machine only."""

import queue
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from digest.cli import bench_edition
from digest.cli.bench_workers import Squad, carry, running_sink, serve_sink
from digest.cli.face import CLI
from digest.domain.errors import StateError
from digest.settings import DatabaseSettings, Settings, SmtpSettings
from digest.storage.engine import Database
from tests.conftest import Ran
from tests.posting import Inbox
from tests.sinks import running

Run = Callable[..., Ran]
FIELDS = {
    *("letters", "seconds", "per_second", "cpu_us_per_letter", "peak_rss_mb"),
    *("commits", "dkim", "release_seconds", "size_kb", "connections"),
    *("processes", "database"),
}


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


def test_letters_of_the_size_asked_for_are_sent_to_a_server_named(
    cli: Run, inbox: Inbox
) -> None:
    with running(inbox.sink) as port:
        ran = cli(
            *("bench", "send", "--letters", "5", "--size", "40", "--json"),
            *("--smtp", f"127.0.0.1:{port}", "--connections", "2"),
        )

    sizes = [len(letter.message) / 1024 for letter in inbox.received]
    assert set(ran.document) == FIELDS
    assert sizes == [pytest.approx(42, abs=3)] * 5


def test_letters_are_signed_where_asked(cli: Run, inbox: Inbox) -> None:
    with running(inbox.sink) as port:
        smtp = ("--smtp", f"127.0.0.1:{port}", "--size", "1")
        cli("bench", "send", "--letters", "1", "--dkim", *smtp)
        cli("bench", "send", "--letters", "1", "--no-dkim", *smtp)

    signed = ["DKIM-Signature" in message for message in inbox.messages()]
    assert signed == [True, False]


def test_without_a_server_letters_go_to_a_sink_of_its_own(
    cli: Run, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()

    ran = cli("bench", "send", "--letters", "3", "--processes", "2")

    assert "3 signed letters of" in ran.out
    assert list((tmp_path / "home").iterdir()) == []


def test_the_operators_limits_do_not_slow_a_bench(
    cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_SMTP__RATE_PER_MINUTE", "1")
    monkeypatch.setenv("DIGEST_SEND__DOMAIN_RATES", "*=1")
    monkeypatch.setenv("DIGEST_SEND__WARM_UP", "1")

    ran = cli("bench", "send", "--letters", "9", "--json")

    assert ran.document["letters"] == 9


@pytest.mark.postgres
def test_on_postgresql_a_scratch_database_is_dropped_afterwards(
    cli: Run, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_DATABASE__URL", postgres_url)

    ran = cli("bench", "send", "--letters", "3", "--json")

    db = Database(postgres_url)
    with db.read() as tx:
        query = text("SELECT datname FROM pg_database WHERE datname LIKE '%scratch%'")
        left = tx.execute(query).all()
    db.close()
    assert ran.document["database"] == "postgresql"
    assert left == []


@pytest.mark.postgres
def test_an_account_that_may_not_create_databases_is_told_so(
    cli: Run, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = Database(postgres_url)
    with db.write() as tx:
        tx.execute(text("CREATE ROLE poor LOGIN"))
    url = postgres_url.replace("postgres:@", "poor:@")
    monkeypatch.setenv("DIGEST_DATABASE__URL", url)

    ran = cli("bench", "send", "--letters", "3", "--json")

    with db.write() as tx:
        tx.execute(text("DROP ROLE poor"))
    db.close()
    assert "ALTER ROLE" in ran.document["mend"]


@pytest.mark.parametrize("server", ["mail.example.com:25", "192.0.2.1:25", ":25", "x"])
def test_a_server_elsewhere_is_refused(cli: Run, server: str) -> None:
    ran = cli("bench", "send", "--letters", "3", "--smtp", server, "--json")

    assert ran.status == 2
    assert "this machine only" in ran.document["error"]


@pytest.mark.parametrize("server", ["127.0.0.1:x", "[::1]:0", "localhost:65536"])
def test_a_server_needs_a_port(cli: Run, server: str) -> None:
    ran = cli("bench", "send", "--letters", "3", "--smtp", server, "--json")

    assert ran.status == 2
    assert "no port" in ran.document["error"]


def test_no_figures_are_given_where_not_every_letter_was_taken(cli: Run) -> None:
    with running_sink() as free:
        pass

    ran = cli(
        *("bench", "send", "--letters", "3", "--json"), *("--smtp", f"127.0.0.1:{free}")
    )

    assert ran.status == 1
    assert "Only 0 of 3 letters were taken" in ran.document["error"]


def released(home: Path, port: int) -> Settings:
    """An installation with three letters at the post."""
    smtp = SmtpSettings(host="127.0.0.1", port=port, security="none")
    settings = Settings(home=home, database=DatabaseSettings(), smtp=smtp)
    service = bench_edition.open_installation(settings, dkim=False)
    bench_edition.add_readers(service, 3)
    edition, _ = bench_edition.approve_edition(service, octets=1)
    service.release(edition, actor=CLI)
    service.db.close()
    return settings


def test_a_worker_says_what_it_did(tmp_path: Path, inbox: Inbox) -> None:
    results: queue.Queue[object] = queue.Queue()

    with running(inbox.sink) as port:
        carry(released(tmp_path / "home", port), threading.Barrier(1), results)

    carried = results.get_nowait()
    assert len(inbox.received) == 3
    assert getattr(carried, "commits", 0) >= 1


def test_a_worker_that_cannot_begin_says_why(tmp_path: Path) -> None:
    results: queue.Queue[object] = queue.Queue()

    with pytest.raises(StateError):
        carry(Settings(home=tmp_path), threading.Barrier(2), results)

    assert "There is no installation" in str(results.get_nowait())


def test_a_squad_that_cannot_begin_is_an_error(tmp_path: Path) -> None:
    with (
        Squad(Settings(home=tmp_path), 2) as squad,
        pytest.raises(StateError, match="There is no installation"),
    ):
        squad.start()


def test_a_sink_of_its_own_runs_until_it_is_told_to_stop() -> None:
    ports: queue.Queue[int] = queue.Queue()
    stop = threading.Event()
    thread = threading.Thread(target=serve_sink, args=(ports, stop))

    thread.start()
    port = ports.get(timeout=10)
    stop.set()
    thread.join(timeout=10)

    assert port > 0
    assert not thread.is_alive()
