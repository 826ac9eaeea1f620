"""Stand-ins for what is not ours: an SMTP server that follows a script."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

LETTER = "a letter"  # a turn that waits for everything up to CR LF . CR LF
_LONGEST_LETTER = 1 << 20
NOTHING = ""  # a turn that does not wait: the greeting, or what nobody asked for


class Talk:
    """One client's conversation, as a turn's action sees it."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader = reader
        self.writer = writer

    async def write(self, octets: bytes) -> None:
        self.writer.write(octets)
        await self.writer.drain()


Action = Callable[[Talk], Awaitable[None]]
Turn = tuple[str, str | Action]
GREETING: Turn = (NOTHING, "220 relay.example")
EHLO: Turn = ("EHLO", "250-relay.example\n250 8BITMIME")
OPENING: Sequence[Turn] = (GREETING, EHLO)
ACCEPTING: Sequence[Turn] = (
    ("MAIL", "250 2.1.0 Ok"),
    ("RCPT", "250 2.1.5 Ok"),
    ("DATA", "354 Go on"),
    (LETTER, "250 2.0.0 Taken"),
)


async def hang_up(talk: Talk) -> None:
    """End the connection in good order, without a word."""
    talk.writer.close()


async def slam(talk: Talk) -> None:
    """End the connection with a TCP reset."""
    talk.writer.transport.abort()


def pieces(*parts: bytes) -> Action:
    """Write raw octets, each part as a segment of its own."""

    async def write(talk: Talk) -> None:
        for part in parts:
            await talk.write(part)
            for _ in range(3):
                await asyncio.sleep(0)

    return write


def after(event: asyncio.Event, then: str | Action) -> Action:
    """Answer, or act, only once the test says so."""

    async def wait(talk: Talk) -> None:
        await event.wait()
        await _act(talk, then)

    return wait


def upgrade(context: ssl.SSLContext, *, injected: bytes = b"") -> Action:
    """Answer STARTTLS and speak TLS; `injected` rides in the clear behind the 220."""

    async def start(talk: Talk) -> None:
        await talk.write(b"220 Ready\r\n" + injected)
        await talk.writer.start_tls(context)

    return start


class ScriptedServer:
    """Follows a script for each connection, in order; use as `async with`.

    Args:
        scripts: For each connection, what it must hear and then do.
        tls: Speaks TLS from the first byte.

    Attributes:
        port: Where it listens.
        heard: Every command line, of all connections.
        letters: Every letter, dots still doubled.
    """

    def __init__(
        self, *scripts: Sequence[Turn], tls: ssl.SSLContext | None = None
    ) -> None:
        self._tls = tls
        self._scripts = list(scripts)
        self._talks: set[asyncio.Task[None]] = set()
        self._surprises: list[str] = []
        self.heard: list[str] = []
        self.letters: list[bytes] = []
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._follow, "127.0.0.1", 0, ssl=self._tls, limit=_LONGEST_LETTER
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await self._server.wait_closed()
        assert not self._surprises

    async def _follow(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        talk = Talk(reader, writer)
        try:
            for expected, action in self._next_script():
                await self._expect(talk, expected)
                await _act(talk, action)
            await self._see_off(talk)
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            pass  # the client hung up, or the test is over
        finally:
            self._talks.discard(task)
            writer.close()

    def _next_script(self) -> Sequence[Turn]:
        if self._scripts:
            return self._scripts.pop(0)
        self._surprises.append("a connection more than there are scripts")
        return ()

    async def _expect(self, talk: Talk, expected: str) -> None:
        if expected == LETTER:
            self.letters.append((await talk.reader.readuntil(b"\r\n.\r\n"))[:-3])
        elif expected != NOTHING:
            line = (await talk.reader.readuntil(b"\r\n")).decode("utf-8").rstrip("\r\n")
            self.heard.append(line)
            if not line.startswith(expected):
                self._surprises.append(f"{line!r} where {expected!r} was due")

    async def _see_off(self, talk: Talk) -> None:
        """Note whatever else the client says, and answer its QUIT."""
        async for octets in talk.reader:
            self.heard.append(octets.decode("utf-8", "replace").rstrip("\r\n"))
            if octets == b"QUIT\r\n":
                await talk.write(b"221 Bye\r\n")


class Certificate(NamedTuple):
    """A certificate for one name, and a server context that shows it."""

    ca_file: str
    server: ssl.SSLContext


def make_certificate(
    folder: Path, *, host: str = "127.0.0.1", days: int = 30
) -> Certificate:
    """Make a self-signed certificate for an address or name; negative days: expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "relay")])
    end = datetime.now(UTC) + timedelta(days=days)  # noqa: TID251 - TLS reads the real clock
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=60))
        .not_valid_after(end)
        .add_extension(
            x509.SubjectAlternativeName([_server_name(host)]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "relay.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return Certificate(str(path), context)


def _server_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


async def _act(talk: Talk, action: str | Action) -> None:
    if isinstance(action, str):
        await talk.write(_lines(action))
    else:
        await action(talk)


def _lines(reply: str) -> bytes:
    return "".join(f"{line}\r\n" for line in reply.split("\n")).encode()
