"""`digest serve` as a process: it answers, tells where, stops in time."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from digest.bootstrap import utc_now
from digest.cli.app import run
from digest.storage import notices
from digest.storage.engine import Database
from tests.posting import Inbox, MoodyRelay, make_notice, notices_of
from tests.sinks import running

PAGES_SECONDS = 3
PATIENCE_SECONDS = 60
_TELLS = re.compile(r"Serving http://127\.0\.0\.1:(\d+)/")


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("DIGEST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DIGEST_WEB__PORT", "0")
    monkeypatch.setenv("DIGEST_SMTP__PORT", "1")
    monkeypatch.setenv("DIGEST_SMTP__SECURITY", "none")
    assert run(["init"]) == 0
    return dict(os.environ)


@contextmanager
def serve(environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Start it; it ends with the block, and where nobody ends it, after a minute."""
    command = [sys.executable, "-m", "digest", "serve"]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, env=environ, stderr=subprocess.PIPE, text=True
    ) as started:
        patience = threading.Timer(PATIENCE_SECONDS, started.kill)
        patience.start()
        try:
            yield started
        finally:
            patience.cancel()
            started.kill()


@pytest.fixture
def process(environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with serve(environ) as started:
        yield started


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stderr is not None
    for line in process.stderr:
        if found := _TELLS.search(line):
            return int(found[1])
    pytest.fail("it never said where it serves")


def test_it_answers_says_where_and_stops_within_five_seconds(
    process: subprocess.Popen[str],
) -> None:
    port = port_of(process)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/readyz")
    status = connection.getresponse().status

    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    ended = process.wait(timeout=10)

    connection.close()
    assert (status, ended) == (200, 0)
    assert time.monotonic() - started < 5


def test_a_letter_under_way_gets_its_answer_after_the_pages_have_stopped(
    environ: dict[str, str],
) -> None:
    db = Database(f"sqlite:///{environ['DIGEST_HOME']}/digest.db")
    with db.write() as tx:
        notices.add(tx, make_notice(), now=utc_now())
    handed_over, answer = threading.Event(), threading.Event()

    def wait_at_the_dot(verb: str, _recipient: str) -> str | None:
        if verb == ".":
            handed_over.set()
            answer.wait(30)
        return None

    with running(lambda: MoodyRelay(Inbox(), wait_at_the_dot)) as port:
        settings = environ | {"DIGEST_SMTP__PORT": str(port)}
        with serve(settings) as process:
            assert handed_over.wait(30)
            process.send_signal(signal.SIGTERM)
            threading.Timer(PAGES_SECONDS + 0.5, answer.set).start()
            ended = process.wait(timeout=30)

    states = [row.state for row in notices_of(db)]
    db.close()
    assert (ended, states) == (0, ["sent"])


def test_a_port_in_use_is_one_line(
    environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("DIGEST_WEB__PORT", str(taken.getsockname()[1]))
        capsys.readouterr()

        status = run(["serve", "--only", "web"])

    error = capsys.readouterr().err
    assert status == 1
    assert "another program listens there" in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("only", ["mail", "web,nonsense"])
def test_a_part_that_does_not_exist_is_named(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str], only: str
) -> None:
    status = run(["serve", "--only", only])

    assert status == 2
    assert "Parts: web, inbound, schedule, worker" in capsys.readouterr().err
