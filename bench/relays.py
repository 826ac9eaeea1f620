"""Trials of the relay: it fails at a verb, or its TLS is not what it should be."""

import re
from pathlib import Path

from bench import certificates, recorder
from bench.kills import Place, Trial, trial, wait_for_end
from bench.oracle import Bounds, Verdict, judge
from bench.processes import TrialError, smtp_sink

_FAULT_SECONDS = 20.0
_HOUR = 3600
# Deferred letters wait 5, 10, 20, 40, 60 minutes and 60 from then on.
_LATER = tuple(_HOUR * hours for hours in (2, 5, 9, 14))

VERBS = ("CONNECT", "EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT")
FAULTS = {
    "-q": "hangs up at",
    "-Q": "says 421 at",
    "-r": "refuses for now at",
    "-f": "refuses for good at",
}
BROKEN_TLS = ("expired", "named-otherwise", "self-signed", "stripped", "cut")


def run_relay(place: Place, option: str, verb: str) -> Verdict:
    """Send into a smtp-sink that fails at a verb, then to a recorder.

    Args:
        place: Where.
        option: Of smtp-sink: how it fails.
        verb: At which command.
    """
    name = f"relay {FAULTS[option]} {verb.replace('.', 'the dot')}"
    with trial(place, name) as held:
        dump = held.found.home / "dump"
        dump.mkdir()
        dump.chmod(0o777)  # smtp-sink gives up its rights
        with smtp_sink("-d", f"{dump}/%H%M%S.", option, verb, port=held.port):
            _try(held)
        taken = held.found.home / "dump.tsv"
        # Elsewhere it dumps what it then refuses or leaves unanswered.
        if verb == "QUIT":
            _read_dump(dump, taken)
        with recorder.recording(held.record, held.port):
            _finish(held)
        bounds = Bounds(
            # An answer that was lost after the dot leaves the letter in doubt.
            uncertain=place.letters if (option, verb) == ("-q", ".") else 0,
            refused=option == "-f" and verb in {"RCPT", "DATA", "."},
        )
        return judge(name, held.found, [taken, held.record], bounds)


def run_tls(place: Place, fault: str) -> Verdict:
    """Require STARTTLS of a server whose TLS is broken, then mended.

    Args:
        place: Where.
        fault: Of `BROKEN_TLS`.
    """
    name = f"tls {fault}"
    certs = place.root / "certificates"
    if not certs.exists():
        certs.mkdir()
        certificates.write_all(certs)
    settings = {
        "DIGEST_SMTP__SECURITY": "starttls",
        "SSL_CERT_FILE": str(certs / "ca.pem"),
    }
    with trial(place, name, **settings) as held:
        cert = certs / f"{fault}.pem"
        shown = None if fault in {"stripped", "cut"} else cert
        with recorder.recording(held.record, held.port, cert=shown, cut=fault == "cut"):
            _try(held)
        early = recorder.count(held.record)
        with recorder.recording(held.record, held.port, cert=certs / "good.pem"):
            _finish(held)
        verdict = judge(name, held.found, [held.record], Bounds(encrypted=True))
        verdict.require(early == 0, f"{early} letters while it was broken")
        return verdict


def _try(held: Trial) -> None:
    """Let a worker do what it can for a while."""
    worker = held.found.start_worker("--once")
    try:
        wait_for_end([worker], within=_FAULT_SECONDS)
    except TrialError:
        return  # it still waits for the relay; it was ended


def _finish(held: Trial) -> None:
    """Let time pass, and workers carry what becomes due."""
    for seconds in _LATER:
        worker = held.found.start_later(seconds)
        wait_for_end([worker])
        counts = held.found.status()["counts"]
        if not counts["queued"] + counts["deferred"] + counts["dispatching"]:
            return


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
