"""Processes a trial starts, and ends by their id; ports, waiting, memory."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

READY_SECONDS = 30.0
_LOOK_SECONDS = 0.02
_SBIN = "/usr/sbin"  # where Postfix's tools are, often beside the PATH


class TrialError(Exception):
    """A trial could not be held; says nothing about the service."""


def tidy_up_when_ended() -> None:
    """Take SIGTERM as an exit, so that nothing that was started stays behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def find_tool(name: str) -> str | None:
    """Return the path of a program, or None."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SBIN}")


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], bool], *, within: float, what: str) -> None:
    """Look again and again.

    Raises:
        TrialError: It did not become true in so many seconds.
    """
    until = time.monotonic() + within
    while not true():
        if time.monotonic() > until:
            raise TrialError(f"{what}: not within {within:g} s")
        time.sleep(_LOOK_SECONDS)


def listens(port: int) -> bool:
    """Tell whether a server takes connections on a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own, silent but for its log."""
    output = subprocess.DEVNULL if log is None else log.open("ab")
    try:
        return subprocess.Popen(
            command,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # A group of its own, so that all of it can be killed at once.
            start_new_session=True,
        )
    finally:
        if not isinstance(output, int):
            output.close()


def signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal a program that `start` started, with all its children."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a program at once, with all its children."""
    signal_group(process, signal.SIGKILL)
    process.wait()


@contextmanager
def running(
    command: Sequence[str], *, port: int | None = None, log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server while the block lasts, which begins once it listens."""
    process = start(command, log=log)
    try:
        if port is not None:
            wait_until(
                lambda: listens(port) or process.poll() is not None,
                within=READY_SECONDS,
                what=f"{command[0]} on port {port}",
            )
        if process.poll() is not None:
            raise TrialError(f"{' '.join(command)} ended with {process.returncode}")
        yield process
    finally:
        kill(process)


@contextmanager
def smtp_sink(
    *options: str, port: int | None = None, log: Path | None = None
) -> Iterator[int]:
    """Run Postfix's smtp-sink; yields its port.

    Raises:
        TrialError: It is not installed.
    """
    tool = find_tool("smtp-sink")
    if tool is None:
        raise TrialError("smtp-sink is not installed (Debian: postfix)")
    found = port or free_port()
    # It refuses to run as root without being told what to become.
    become = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [tool, *become, *options, f"127.0.0.1:{found}", "1000"]
    with running(command, port=found, log=log):
        yield found


def module(name: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this checkout."""
    return [sys.executable, "-m", name, *arguments]


def peak_mb(process_id: int) -> float:
    """Return the most memory that a process had so far; 0: it is gone."""
    try:
        status = Path(f"/proc/{process_id}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    line = next(
        (ln for ln in status.splitlines() if ln.startswith("VmHWM")), "VmHWM: 0"
    )
    return int(line.split()[1]) / 1024


def rss_mb(process_id: int) -> float:
    """Return the present memory of a process and its children; 0: it is gone."""
    try:
        status = Path(f"/proc/{process_id}/status").read_text(encoding="ascii")
        tasks = Path(f"/proc/{process_id}/task").iterdir()
        children = [
            int(child)
            for task in tasks
            for child in (task / "children").read_text(encoding="ascii").split()
        ]
    except OSError:
        return 0.0
    own = next((ln for ln in status.splitlines() if ln.startswith("VmRSS")), "VmRSS: 0")
    return int(own.split()[1]) / 1024 + sum(map(rss_mb, children))
