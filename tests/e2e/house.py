"""An installation used by its commands alone, which posts to Postfix's sink."""

import email
import email.policy
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest


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

    @property
    def web_port(self) -> int:
        """Where its pages are served."""
        return int(self.environ["DIGEST_WEB__PORT"])

    def received(self) -> dict[str, list[EmailMessage]]:
        """The letters the sink took, in order, by envelope recipient."""
        found: dict[str, list[EmailMessage]] = {}
        for path in sorted(self.letters.iterdir(), key=_taken_at):
            head, _, letter = path.read_bytes().partition(b"Received: ")
            text = head.decode()
            (line,) = [x for x in text.splitlines() if x.startswith("X-Rcpt-Args")]
            message = email.message_from_bytes(
                b"Received: " + letter, policy=email.policy.default
            )
            who = line.partition("<")[2].partition(">")[0]
            found.setdefault(who, []).append(message)
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


def _taken_at(path: Path) -> int:
    return path.stat().st_mtime_ns


@contextmanager
def housed(home: Path) -> Iterator[House]:
    """Start a sink for an installation in `home`; skips where there is none."""
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
        "DIGEST_HOME": str(home),
        "DIGEST_SMTP__PORT": str(smtp),
        "DIGEST_SMTP__SECURITY": "none",
        "DIGEST_WEB__PORT": str(web),
        "DIGEST_WEB__BASE_URL": f"http://127.0.0.1:{web}",
    }
    process = subprocess.Popen(command)  # noqa: S603 - Postfix's own
    try:
        wait_for(smtp)
        yield House(home=home, letters=letters, environ=environ)
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(letters)


@contextmanager
def pages_of(house: House) -> Iterator[int]:
    """Serve an installation's public pages; yields their port."""
    port = house.web_port
    process = subprocess.Popen(
        [sys.executable, "-m", "digest", "serve", "--only", "web"],
        env=house.environ,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()
