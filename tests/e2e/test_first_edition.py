"""From a pasted page to letters in Postfix's sink, by commands and pages alone."""

import email
import email.policy
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.material import MATERIAL, SHARED

ADDRESS = "https://paper.example/2024/05/12/the-story/"
NEXT_WEEK = (
    "The Week After\n\nMay 18, 2024\n\n"
    + "A quiet week followed, which is news of a kind as well. " * 3
    + "\n\n"
    + "Nobody complained, and the river went on as it does every year. " * 3
)


@dataclass(frozen=True, kw_only=True)
class House:
    """An installation used through its commands, and the sink it posts to."""

    home: Path
    letters: Path
    environ: dict[str, str]

    def digest(self, *arguments: str) -> Any:
        """Run one command and return its JSON document."""
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "digest", *arguments, "--json"],
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def received(self) -> dict[str, list[EmailMessage]]:
        """The editions' letters the sink took, by envelope recipient."""
        found: dict[str, list[EmailMessage]] = {}
        for path in sorted(self.letters.iterdir()):
            head, _, letter = path.read_bytes().partition(b"Received: ")
            text = head.decode()
            (line,) = [x for x in text.splitlines() if x.startswith("X-Rcpt-Args")]
            message = email.message_from_bytes(
                b"Received: " + letter, policy=email.policy.default
            )
            if message["List-Unsubscribe"] and message["Subject"] != "welcome":
                found.setdefault(line.partition("<")[2].partition(">")[0], []).append(
                    message
                )
        return found


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    """Wait until something listens, ten seconds at most."""
    for _ in range(1000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    pytest.fail(f"nothing listens on port {port}")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    sink = shutil.which("smtp-sink", path=f"{os.environ['PATH']}:/usr/sbin")
    if sink is None:
        pytest.skip("smtp-sink (Debian's postfix) is not installed")
    # Not below pytest's own folder: the sink gives its rights up, and may not enter.
    letters = Path(tempfile.mkdtemp(prefix="digest-letters-"))
    letters.chmod(0o777)
    smtp, web = free_port(), free_port()
    command = [sink, "-d", f"{letters}/%M.", f"127.0.0.1:{smtp}", "100"]
    if os.getuid() == 0:
        command[1:1] = ["-u", "nobody"]
    environ = {k: v for k, v in os.environ.items() if not k.startswith("DIGEST_")}
    environ |= {
        "DIGEST_HOME": str(tmp_path / "home"),
        "DIGEST_SMTP__PORT": str(smtp),
        "DIGEST_SMTP__SECURITY": "none",
        "DIGEST_WEB__PORT": str(web),
        "DIGEST_WEB__BASE_URL": f"http://127.0.0.1:{web}",
    }
    process = subprocess.Popen(command)  # noqa: S603 - Postfix's own
    wait_for(smtp)
    try:
        yield House(home=tmp_path / "home", letters=letters, environ=environ)
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(letters)


@pytest.fixture
def pages(house: House) -> Iterator[int]:
    """The public pages, served; their port."""
    port = int(house.environ["DIGEST_WEB__PORT"])
    house.digest("init")
    process = subprocess.Popen(
        [sys.executable, "-m", "digest", "serve", "--only", "web"],
        env=house.environ,
        stderr=subprocess.DEVNULL,
    )
    wait_for(port)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def page() -> Path:
    """The publisher's page where it is at hand, else one of its shape in own words."""
    seed = SHARED / "seed/000_0b920b972f9a7630.txt"
    return seed if seed.exists() else MATERIAL / "pasted-page.txt"


def send(house: House, issue_date: str) -> None:
    """Compose, approve, release and carry one edition."""
    made = house.digest("editions", "compose", "--issue-date", issue_date)
    edition = str(made["edition"]["id"])
    house.digest("editions", "approve", edition, "--because", "a trial")
    house.digest("editions", "release", edition)
    house.digest("worker", "--once")
    status = house.digest("editions", "status", edition)
    assert status["state"] == "sent"


def ask(port: int, method: str, url: str, body: str = "") -> tuple[int, dict[str, str]]:
    """Request a page as a plain client would; returns status and header fields."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as client:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        client.request(method, urlsplit(url).path, body=body, headers=headers)
        answer = client.getresponse()
        answer.read()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}


def test_each_active_reader_gets_one_letter_until_one_click_ends_it(
    house: House, pages: int, page: Path, tmp_path: Path
) -> None:
    """The path of the first edition, and who the second one skips."""
    told = ("--confirmed", "--consent", "asked at the counter")
    for name in ("alice", "dora", "charlie", "erin"):
        house.digest("subscribers", "add", f"{name}@readers.example", *told)
    house.digest("subscribers", "add", "bob@readers.example")
    house.digest(
        "subscribers", "suppress", "charlie@readers.example", "--reason", "asked"
    )
    house.digest("subscribers", "unsubscribe", "erin@readers.example")
    house.digest("articles", "import", str(page), "--url", ADDRESS)

    send(house, "2024-05-12")

    first = house.received()
    assert {who: len(letters) for who, letters in first.items()} == {
        "alice@readers.example": 1,
        "dora@readers.example": 1,
    }
    (letter,) = first["alice@readers.example"]
    link = letter["List-Unsubscribe"].partition("<")[2].partition(">")[0]

    for method in ("GET", "HEAD"):
        assert ask(pages, method, link)[0] == 200
    shown = house.digest("subscribers", "show", "alice@readers.example")
    assert shown["subscriptions"][0]["state"] == "active"

    status, headers = ask(pages, "POST", link, "List-Unsubscribe=One-Click")
    assert status == 200
    assert not {"set-cookie", "location"} & headers.keys()

    later = tmp_path / "later.txt"
    later.write_text(NEXT_WEEK, encoding="utf-8")
    house.digest("articles", "import", str(later), "--url", f"{ADDRESS}next")
    send(house, "2024-05-19")

    second = house.received()
    assert {who: len(letters) for who, letters in second.items()} == {
        "alice@readers.example": 1,
        "dora@readers.example": 2,
    }
