"""A mail server that keeps account of what it took, in a process of its own.

`python -m bench.recorder FILE PORT [--cert PEM] [--cut]`: one line a letter and
recipient, written before the letter is acknowledged. It outlives every kill of a trial.
"""

import argparse
import asyncio
import hashlib
import os
import re
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import module, running
from digest.mail.sink import Received, Sink

_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One letter that was acknowledged.

    Attributes:
        recipient: From RCPT.
        message_id: Its Message-ID.
        digest: SHA-256 of all of it.
        encrypted: It came over TLS.
        at: When, in seconds of the clock.
    """

    recipient: str
    message_id: str
    digest: str
    encrypted: bool
    at: float


@contextmanager
def recording(
    path: Path, port: int, *, cert: Path | None = None, cut: bool = False
) -> Iterator[None]:
    """Run a recorder.

    Args:
        path: Its file; lines are added.
        port: Where it listens.
        cert: Key and certificate in one PEM file: offers STARTTLS.
        cut: Hang up in the middle of each TLS handshake.
    """
    options = [*(["--cert", str(cert)] if cert else []), *(["--cut"] if cut else [])]
    command = module("bench.recorder", str(path), str(port), *options)
    with running(command, port=port, log=path.with_suffix(".log")):
        yield


def read(path: Path) -> list[Taken]:
    """Read what a recorder took so far."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [_read_line(*line.split("\t")) for line in lines]


def _read_line(rcpt: str, name: str, digest: str, how: str, at: str) -> Taken:
    return Taken(
        recipient=rcpt,
        message_id=name,
        digest=digest,
        encrypted=how == "tls",
        at=float(at),
    )


def count(path: Path) -> int:
    """Count what a recorder took so far."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


class _Cutter(asyncio.Protocol):
    """Offers STARTTLS, and hangs up once the handshake has begun."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._started = transport, False
        transport.write(b"220 cutter.invalid ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        if self._started:
            self._transport.close()
        elif data.upper().startswith(b"STARTTLS"):
            self._started = True
            self._transport.write(b"220 Ready\r\n")
        else:
            self._transport.write(b"250-cutter.invalid\r\n250 STARTTLS\r\n")


async def _serve(path: Path, port: int, cert: Path | None, *, cut: bool) -> None:
    if cut:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(_Cutter, "127.0.0.1", port)
        await server.serve_forever()
    tls = None
    if cert is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(cert)
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def take(letter: Received) -> None:
        named = _MESSAGE_ID.search(letter.message)
        name = named[1].decode("ascii") if named else "-"
        digest = hashlib.sha256(letter.message).hexdigest()
        how = "tls" if letter.encrypted else "clear"
        what = f"{name}\t{digest}\t{how}\t{time.time():.3f}"
        lines = (f"{rcpt}\t{what}\n" for rcpt in letter.recipients)
        os.write(file, "".join(lines).encode("utf-8"))

    async with Sink(take, port=port, tls=tls):
        await asyncio.Event().wait()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--cert", type=Path)
    parser.add_argument("--cut", action="store_true")
    options = parser.parse_args()
    asyncio.run(_serve(options.file, options.port, options.cert, cut=options.cut))


if __name__ == "__main__":
    main()
