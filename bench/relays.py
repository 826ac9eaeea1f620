"""Trials of the relay: it fails at a verb, or its TLS is not what it should be.

One worker runs from before the fault until the last letter, by itself.
"""

import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import certificates, peek, recorder, wire, workers
from bench.oracle import Bounds, Verdict, judge
from bench.processes import TrialError, free_port, smtp_sink, wait_until
from bench.trials import CONNECTIONS, FINISH_SECONDS, Place, Trial, trial
from bench.workers import Worker

_FELT_SECONDS = 60.0
_HOLD_SECONDS = 1.5
_TRIED = ("deferred", "failed", "uncertain", "sent")
# So that nobody waits for an hour: minutes, about a second each.
_IMPATIENT = {
    "DIGEST_SEND__RETRY__REFUSED": "0.02",
    "DIGEST_SEND__RETRY__BROKEN": "0.01",
    "DIGEST_SEND__RETRY__BROKEN_AT_MOST": "0.02",
}
# So that connections are ended, and QUIT is said, all the time.
_SHORT_CONNECTIONS = {"DIGEST_SMTP__MESSAGES_PER_CONNECTION": "20"}

FAULTS = {"hangs-up": "-q", "says-421": "-Q", "defers": "-r", "refuses": "-f"}
VERBS = {
    "connect": "CONNECT",
    "ehlo": "EHLO",
    "helo": "HELO",
    "mail": "MAIL",
    "rcpt": "RCPT",
    "data": "DATA",
    "dot": ".",
    "quit": "QUIT",
}
# What the worker's log must say while TLS is broken; also in what words.
BROKEN_TLS = {
    "expired": "expired",
    "named-otherwise": "mismatch|not valid for|doesn't match",
    "self-signed": "self.signed",
    "stripped": "STARTTLS",
    "cut": "TLS|SSL|EOF|clos|reset|lost",
}
# Said in the clear these would show a letter, or whom it is for.
_PLAIN = (b"MAIL FROM", b"RCPT TO", b"Subject:", b"@example.")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How a relay fails.

    Attributes:
        how: Of `FAULTS`.
        where: Of `VERBS`.
    """

    how: str
    where: str

    @property
    def options(self) -> list[str]:
        """What smtp-sink is told; HELO is said only where EHLO is refused."""
        option, verb = FAULTS[self.how], VERBS[self.where]
        if verb != "HELO":
            return [option, verb]
        return [option, "EHLO,HELO"] if option == "-f" else ["-f", "EHLO", option, verb]

    @property
    def is_passed(self) -> bool:
        """Whether letters get through in spite of it: at QUIT, or by HELO."""
        refuses = self.how in {"defers", "refuses"}
        return self.where == "quit" or (self.where == "ehlo" and refuses)

    @property
    def is_lasting(self) -> bool:
        """Whether the relay fails for a while, as no letter is done with meanwhile."""
        return (self.how, self.where) != ("hangs-up", "dot")

    def bounds(self, met: int) -> Bounds:
        """What may be in doubt: letters whose dot was answered by nobody."""
        if self.where != "dot":
            return Bounds()
        # The others were answered, but for those on their way when the relay ended.
        return Bounds(uncertain=CONNECTIONS if self.is_lasting else met)


def run_relay(place: Place, name: str, *, fault: Fault) -> Verdict:
    """Send into a smtp-sink that fails at a verb, then to a recorder.

    Raises:
        TrialError: The fault was not met, or nothing was left to send after it.
    """
    with trial(place, name, **_IMPATIENT, **_SHORT_CONNECTIONS) as held:
        said, dump = held.folder / "sink.log", held.folder / "dump"
        dump.mkdir()
        dump.chmod(0o777)  # smtp-sink gives up its rights
        options = ["-v", "-d", f"{dump}/%H%M%S.", *fault.options]
        with _working(held) as worker:
            with smtp_sink(*options, port=held.port, log=said):
                tried = _wait_until_felt(held, worker, fault)
            met = _count_met(said, fault)
            with recorder.recording(held.record, held.port):
                _finish(held, worker)
        taken = held.folder / "dump.tsv"
        # Elsewhere it dumps what it then refuses or leaves unanswered.
        if fault.is_passed:
            _read_dump(dump, taken)
        elif not recorder.count(held.record):
            raise TrialError("nothing was left to send after the fault")
        verdict = judge(name, held.found, [taken, held.record], fault.bounds(met))
        verdict.rounds = met
        verdict.notes = f"met {met} times; {tried}"
        return verdict


def _wait_until_felt(held: Trial, worker: Worker, fault: Fault) -> str:
    """Wait until the worker has met the fault, and for a while let it try again."""
    if fault.is_passed:
        _wait_until_sent(held, worker)
        return "all letters got through"
    felt: list[str] = []

    def is_felt() -> bool:
        workers.require_alive([worker])
        felt[:] = _signs(held, worker)
        return bool(felt)

    wait_until(is_felt, within=_FELT_SECONDS, what="a sign of the fault")
    if fault.is_lasting:
        time.sleep(_HOLD_SECONDS)
    return ", ".join(_signs(held, worker) or felt)


def _signs(held: Trial, worker: Worker) -> list[str]:
    """Say what shows that the worker reached a relay that fails."""
    counts = peek.counts(held.found)
    found = [f"{counts[state]} {state}" for state in _TRIED if counts[state]]
    closed = worker.heard("relay.closed")
    return [*found, *({f"closed: {entry['reason']}" for entry in closed[:1]})]


def _count_met(said: Path, fault: Fault) -> int:
    """Count in smtp-sink's own log how often it heard the verb.

    Raises:
        TrialError: It never did.
    """
    text = said.read_text(encoding="utf-8", errors="replace")
    # It does not log the dot, but the DATA before it.
    verb = {"connect": "connect", "dot": "DATA"}.get(fault.where, VERBS[fault.where])
    met = len(re.findall(rf"smtp-sink: {verb}\b", text))
    # To see that it listens, the trial connects, too.
    met -= fault.where == "connect"
    if met < 1:
        raise TrialError(f"the relay never heard {verb}")
    return met


def run_tls(place: Place, name: str, *, fault: str) -> Verdict:
    """Require STARTTLS of a server whose TLS is broken, then mended.

    A wire between them keeps every octet the worker sends.

    Args:
        place: Where.
        name: The trial's.
        fault: Of `BROKEN_TLS`.

    Raises:
        TrialError: The worker did not meet the fault.
    """
    certs = place.root / "certificates"
    if not certs.exists():
        certs.mkdir()
        certificates.write_all(certs)
    settings = {
        "DIGEST_SMTP__SECURITY": "starttls",
        "SSL_CERT_FILE": str(certs / "ca.pem"),
    }
    with trial(place, name, **_IMPATIENT, **settings) as held:
        port, heard = free_port(), held.folder / "wire"
        with wire.wired(port, port=held.port, keep=heard), _working(held) as worker:
            with _broken_tls(held, port, certs, fault):
                reason = _wait_until_closed(worker, BROKEN_TLS[fault])
                time.sleep(_HOLD_SECONDS)
            early = recorder.count(held.record)
            with recorder.recording(held.record, port, cert=certs / "good.pem"):
                _finish(held, worker)
        verdict = judge(name, held.found, [held.record], Bounds(encrypted=True))
        octets = heard.read_bytes()
        plain = [mark.decode() for mark in _PLAIN if mark in octets]
        verdict.require(not plain, f"{', '.join(plain)} in the clear")
        verdict.require(early == 0, f"{early} letters while it was broken")
        if b"EHLO" not in octets:
            raise TrialError("the wire heard nothing")
        verdict.notes = f"{len(octets):,} octets looked at; {reason}"
        return verdict


def _broken_tls(
    held: Trial, port: int, certs: Path, fault: str
) -> AbstractContextManager[None]:
    """Run a server whose TLS is broken."""
    cert = None if fault in {"stripped", "cut"} else certs / f"{fault}.pem"
    return recorder.recording(held.record, port, cert=cert, cut=fault == "cut")


def _wait_until_closed(worker: Worker, pattern: str) -> str:
    """Wait until the worker says that it cannot use the relay; returns why."""
    wait_until(
        lambda: bool(worker.heard("relay.closed")) or not worker.is_alive,
        within=_FELT_SECONDS,
        what="the worker's word that its relay cannot be used",
    )
    workers.require_alive([worker])
    reason = str(worker.heard("relay.closed")[0]["reason"])
    if not re.search(pattern, reason, re.IGNORECASE):
        raise TrialError(f"the worker met something else: {reason}")
    return reason


@contextmanager
def _working(held: Trial) -> Iterator[Worker]:
    """Run a worker; the relay need not be there yet."""
    worker = workers.start(held.found)
    try:
        yield worker
    finally:
        workers.kill_all([worker])


def _finish(held: Trial, worker: Worker) -> None:
    """Let the same worker carry the rest, now that the relay works."""
    _wait_until_sent(held, worker)
    workers.end_politely(worker)


def _wait_until_sent(held: Trial, worker: Worker) -> None:
    wait_until(
        lambda: peek.is_sent(held.found) or not worker.is_alive,
        within=FINISH_SECONDS,
        what="the end of the send",
    )
    workers.require_alive([worker])


def _read_dump(folder: Path, record: Path) -> None:
    """Turn smtp-sink's dump files into a recorder's account."""
    with record.open("w", encoding="utf-8") as file:
        for path in folder.iterdir():
            text = path.read_text(encoding="utf-8", errors="replace")
            rcpt = re.search(r"^X-Rcpt-Args: <(.+)>", text, re.MULTILINE)
            name = re.search(
                r"^message-id:\s*(\S+)", text, re.MULTILINE | re.IGNORECASE
            )
            if rcpt and name:
                file.write(f"{rcpt[1]}\t{name[1]}\tdump\tclear\t0\n")
