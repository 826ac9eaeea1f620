"""Every message of a folder, and mutations of them, through the listener.

`python -m bench.inbound [FOLDER]`. Nobody may crash, nothing that was acknowledged may
be lost, and what is beyond limits must be in the quarantine.
"""

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from bench import peek, processes, tables
from bench.installation import Installation
from bench.lmtp import Answered, Message, hand_over, spool, with_line_ends
from bench.mutations import excessive, mutate
from bench.processes import (
    TrialError,
    free_port,
    module,
    tidy_up_when_ended,
    wait_until,
)
from digest.care.keys import read_secrets
from digest.domain.tokens import Purpose

DOMAIN = "news.example.test"
WANTED_MS = 50.0
_READY_SECONDS = 60.0
_SETTLE_SECONDS = 120.0
_OCTETS = 10 * 1024 * 1024
# Every so-manieth comes as it is: its bare line ends must be refused.
_AS_IT_IS = 20
_SHARES = {"p50 ms": 0.50, "p99 ms": 0.99, "worst ms": 1.0}
_FAULTS = ("inbound.failed", "inbound.trouble", "inbound.waits", "Traceback")


@dataclass(kw_only=True)
class Account:
    """What came of a run.

    Attributes:
        codes: Answers by code.
        states: Messages by state, and by kind in the quarantine.
        latencies: Of the answers 250, in seconds, sorted.
        memory: The server's peak, in MB.
        broken: What should not be; empty: nothing.
    """

    codes: Counter[int] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    memory: float = 0.0
    broken: list[str] = field(default_factory=list)

    def part(self, share: float) -> float:
        """Return the latency that a share of the answers kept, in milliseconds."""
        place = min(int(len(self.latencies) * share), len(self.latencies) - 1)
        return self.latencies[place] * 1000


def main() -> None:
    """Hand all of it over, print, and keep the figures in `var/bench`.

    Raises:
        TrialError: There are no messages, or something was broken or too slow.
    """
    wanted = _parse()
    tidy_up_when_ended()
    tables.FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tables.FOLDER) as root:
        found = run(
            Path(root),
            read_messages(wanted.folder),
            count=wanted.mutations,
            seed=wanted.seed,
            connections=wanted.connections,
        )
    facts = tables.machine()
    print("\n" + "; ".join(f"{name} {value}" for name, value in facts.items()))
    rows: dict[str, Any] = {f"answered {c}": n for c, n in sorted(found.codes.items())}
    rows |= dict(sorted(found.states.items()))
    rows |= {name: found.part(share) for name, share in _SHARES.items()}
    rows |= {"peak MB": found.memory, "broken": len(found.broken)}
    tables.show(f"{wanted.mutations:,} mutations", ["", ""], list(rows.items()))
    options = vars(wanted) | {"folder": str(wanted.folder)}
    document = {"machine": facts, "options": options, "figures": rows}
    print(f"\nKept in {tables.keep('inbound', document)}")
    if found.broken:
        raise TrialError("; ".join(found.broken))
    if rows["p99 ms"] > WANTED_MS:
        raise TrialError(f"wanted: 99 of 100 within {WANTED_MS:g} ms")


def _parse() -> argparse.Namespace:
    shared = os.environ.get("DIGEST_TEST_SHARED", "../shared")
    folder = Path(shared) / "corpora" / "flanker" / "messages"
    parser = argparse.ArgumentParser(prog="python -m bench.inbound")
    parser.add_argument("folder", type=Path, nargs="?", default=folder)
    parser.add_argument("--mutations", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


def read_messages(folder: Path) -> list[bytes]:
    """Read every file below a folder.

    Raises:
        TrialError: There is none.
    """
    found = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    if not found:
        raise TrialError(f"there are no messages in {folder}")
    return found


def run(
    root: Path, messages: Sequence[bytes], *, count: int, seed: int, connections: int
) -> Account:
    """Hand messages and so many mutations to a listener of an own installation.

    Args:
        root: An empty folder.
        messages: Real ones.
        count: How many mutations.
        seed: Decides them.
        connections: Of LMTP, at one time.

    Raises:
        TrialError: The listener does not start.
    """
    settings = {
        "DIGEST_MAIL__DOMAIN": DOMAIN,
        "DIGEST_INBOUND__PROTOCOL": "lmtp",
        "DIGEST_INBOUND__PORT": str(free_port()),
        "DIGEST_INBOUND__MESSAGE_OCTETS": str(_OCTETS),
    }
    found = Installation(home=root / "home", settings=settings)
    found.run("init")
    load = _load(found, messages, count=count, seed=seed)
    account = Account()
    answers = _serve(found, load, account, connections=connections)
    _judge(found, answers, account)
    return account


def _load(
    found: Installation, messages: Sequence[bytes], *, count: int, seed: int
) -> Iterator[Message]:
    """Address every message in turn to each of our addresses."""
    tokens = read_secrets(found.home / "keys").tokens
    leave = tokens.issue(Purpose.UNSUBSCRIBE, 1)
    report = tokens.issue(Purpose.DELIVERY, 1)
    forged = tokens.issue(Purpose.NOTICE, 1)[::-1]
    names = (
        *("subscribe", "unsubscribe", "complaints", "postmaster"),
        *(f"unsubscribe+{leave}", f"bounces+{report}", f"bounces+{forged}"),
    )
    addresses = cycle(f"{name}@{DOMAIN}" for name in names)
    senders = cycle(["dina@reader.example", "", "bob@reader.example"])
    for raw in (*messages, *excessive(_OCTETS)):
        for address in {next(addresses), f"complaints@{DOMAIN}"}:
            yield Message(with_line_ends(raw), next(senders), address)
    for number, raw in enumerate(mutate(messages, count=count, seed=seed)):
        text = raw + b"\r\n" if number % _AS_IT_IS == 0 else with_line_ends(raw)
        yield Message(text, next(senders), next(addresses))


def _serve(
    found: Installation, load: Iterable[Message], account: Account, *, connections: int
) -> list[Answered]:
    """Run the listener while it is given everything."""
    port, path = int(found.settings["DIGEST_INBOUND__PORT"]), found.home / "spool"
    given = spool(path, load)
    command = module("digest", "serve", "--only", "inbound")
    process = processes.start(command, env=found.environment, log=found.log)
    try:
        wait_until(
            lambda: processes.listens(port) or process.poll() is not None,
            within=_READY_SECONDS,
            what="the listener",
        )
        answers = hand_over(port, path, given, connections=connections)
        wait_until(
            lambda: not peek.inbox(found)["received"] or process.poll() is not None,
            within=_SETTLE_SECONDS,
            what="every message acted upon",
        )
        account.memory = processes.peak_mb(process.pid)
        if process.poll() is not None:
            account.broken.append(f"it ended with {process.returncode}")
    finally:
        processes.kill(process)
    return answers


def _judge(found: Installation, answers: Sequence[Answered], account: Account) -> None:
    account.codes = Counter(answer.code for answer in answers)
    account.states = peek.inbox(found)
    taken = [answer for answer in answers if answer.code == 250]  # noqa: PLR2004
    account.latencies = sorted(answer.seconds for answer in taken)
    if unanswered := account.codes[0]:
        account.broken.append(f"{unanswered} were not answered")
    said = found.log.read_text(encoding="utf-8", errors="replace")
    if faults := {word: said.count(word) for word in _FAULTS if word in said}:
        account.broken.append(f"its log has {faults}")
    promised = Counter(answer.given.digest for answer in taken)
    if lost := (promised - peek.inbox_digests(found)).total():
        account.broken.append(f"{lost} of {len(taken)} were lost")
    listed = sum(1 for _ in found.pages("quarantine", "list"))
    if listed != account.states["quarantined"]:
        account.broken.append(f"the quarantine lists {listed}")


if __name__ == "__main__":
    try:
        main()
    except TrialError as error:
        sys.exit(f"error: {error}")
