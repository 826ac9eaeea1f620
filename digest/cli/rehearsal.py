"""What a rehearsal runs in: a folder of its own, and a server that only counts."""

import asyncio
import fcntl
import multiprocessing
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from digest.cli import loops
from digest.domain.errors import StateError
from digest.mail.dkim import Signer
from digest.mail.sink import Received, Sink
from digest.mail.verification import find_fault
from digest.storage import schema
from digest.storage.engine import Database

_START = multiprocessing.get_context("spawn")
_READY_SECONDS = 60.0
_LOCK, _PREFIX = "rehearsal.lock", "rehearsal-"
_VERIFIED = 100
"""Signatures that are looked at: verifying each would measure that."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What the server took.

    Attributes:
        letters: How many.
        octets: All of them together.
        verified: How many signatures were looked at.
        faults: What was wrong with those.
    """

    letters: int = 0
    octets: int = 0
    verified: int = 0
    faults: tuple[str, ...] = ()


class Counter:
    """Counts letters, and verifies the first signatures.

    Args:
        key: What signed them, DER; None: nobody did.
    """

    def __init__(self, key: bytes | None) -> None:
        self._key = serialization.load_der_public_key(key) if key else None
        self._letters = self._octets = self._verified = 0
        self._faults: list[str] = []

    def take(self, letter: Received) -> None:
        """Count one letter, and forget it."""
        self._letters += 1
        self._octets += len(letter.message)
        if isinstance(self._key, rsa.RSAPublicKey) and self._verified < _VERIFIED:
            self._verified += 1
            if fault := find_fault(letter.message, self._key):
                self._faults.append(fault)

    def total(self) -> Taken:
        """Return what was taken so far."""
        return Taken(
            letters=self._letters,
            octets=self._octets,
            verified=self._verified,
            faults=tuple(dict.fromkeys(self._faults)),
        )


class Server:
    """A server in a process of its own; use `counting_server`."""

    def __init__(self, port: int, stop: Any, results: Any) -> None:
        self.port = port
        self._stop = stop
        self._results = results

    def finish(self) -> Taken:
        """End it and return what it took."""
        self._stop.set()
        found = self._results.get(timeout=_READY_SECONDS)
        assert isinstance(found, Taken)
        return found


def public_half(signer: Signer) -> bytes:
    """Return the key that verifies a signer's signatures, DER."""
    return signer.public_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@contextmanager
def counting_server(signer: Signer | None) -> Iterator[Server]:
    """Run a server that takes every letter and keeps none.

    Args:
        signer: What signs the letters; None: nobody does, or the relay.
    """
    key = public_half(signer) if signer else None
    ports, stop, results = _START.Queue(), _START.Event(), _START.Queue()
    process = _START.Process(
        target=serve_counting, args=(key, ports, stop, results), daemon=True
    )
    process.start()
    try:
        yield Server(ports.get(timeout=_READY_SECONDS), stop, results)
    finally:
        stop.set()
        process.join()


def serve_counting(key: bytes | None, ports: Any, stop: Any, results: Any) -> None:
    """Take letters until told to stop, then say what came.

    Args:
        key: What signed them.
        ports: A queue, given the port.
        stop: An event.
        results: A queue, given the `Taken`.
    """
    counter = Counter(key)

    async def serve() -> None:
        async with Sink(counter.take) as sink:
            ports.put(sink.port)
            await asyncio.to_thread(stop.wait)

    loops.run(serve())
    results.put(counter.total())


@contextmanager
def stage(home: Path) -> Iterator[Database]:
    """Make an empty database in a folder of its own, which is deleted afterwards.

    What a rehearsal that was killed left behind is deleted before.

    Args:
        home: The installation's folder: the disk whose speed counts.

    Raises:
        StateError: Another rehearsal of this installation is running.
    """
    with _alone(home), TemporaryDirectory(prefix=_PREFIX, dir=home) as folder:
        scratch = Database(f"sqlite:///{Path(folder) / 'digest.db'}")
        try:
            schema.upgrade(scratch)
            yield scratch
        finally:
            scratch.close()


def sweep(home: Path) -> None:
    """Delete what a killed rehearsal left behind: it holds readers' addresses."""
    with suppress(StateError), _alone(home):
        pass


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Be the only rehearsal of an installation, in a swept folder."""
    with (home / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateError(
                "A rehearsal is running already.", "Wait until it is over."
            ) from None
        for left in home.glob(f"{_PREFIX}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
