"""An SMTP server that takes every letter and hands it to a function.

It offers PIPELINING, 8BITMIME, SIZE, SMTPUTF8 and, with a certificate, STARTTLS. Only
CR LF ends a line and only CR LF . CR LF a letter (RFC 5321 §2.3.8, §4.1.1.4): a letter
with a bare CR or LF is refused, so none can smuggle a second one in.
"""

import asyncio
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self, cast

from digest.mail.envelope import has_bare_line_end

_LONGEST_COMMAND = 4096
_END = b"\r\n.\r\n"
_PATH = re.compile(r"(?:FROM|TO):[ ]?<([^<>]*)>(?: (.+))?", re.IGNORECASE)


@dataclass(frozen=True)
class Received:
    """One letter as it came.

    Attributes:
        sender: From MAIL; empty: the null sender.
        recipients: From RCPT, in order.
        message: The letter, dots unstuffed, CRLF line endings.
        parameters: What followed the address in MAIL: `BODY=8BITMIME`, …
        encrypted: It came over TLS.
    """

    sender: str
    recipients: tuple[str, ...]
    message: bytes
    parameters: tuple[str, ...] = ()
    encrypted: bool = False


class Sink:
    """Listens on a port of its own choice; use as `async with`.

    Args:
        on_message: Called for each letter before it is acknowledged; what it raises
            ends the conversation, and the letter is not acknowledged.
        host: Address to listen on.
        port: 0: any free one; read `port` afterwards.
        tls: Offers STARTTLS with this context.
        implicit_tls: Speaks TLS from the first byte instead.
        max_size: Octets; larger letters are refused (RFC 1870).
    """

    def __init__(
        self,
        on_message: Callable[[Received], None],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        max_size: int = 10_000_000,
    ) -> None:
        self.on_message = on_message
        self.tls = tls
        self.implicit_tls = implicit_tls
        self.max_size = max_size
        self.host = host
        self.port = port
        self.sessions: set[_Session] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Session(self),
            self.host,
            self.port,
            ssl=self.tls if self.implicit_tls else None,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        assert self._server is not None
        self._server.close()
        for session in list(self.sessions):
            session.close()
        await self._server.wait_closed()


class _Session(asyncio.Protocol):
    """One client's conversation: commands, then a letter, then commands again."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._transport: asyncio.Transport | None = None
        self._upgrade: asyncio.Task[None] | None = None
        self._input = bytearray()
        self._output: list[str] = []
        self._in_message = False
        self._searched = 0
        self._encrypted = sink.implicit_tls
        self._greeted = False
        self._forget()
        self._verbs: dict[str, Callable[[str], None]] = {
            "EHLO": self._ehlo,
            "HELO": self._helo,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "NOOP": lambda _: self._say("250 2.0.0 Ok"),
            "QUIT": self._quit,
            "STARTTLS": self._starttls,
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast: uvloop's transports are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._sink.sessions.add(self)
        self._say("220 sink.invalid ESMTP")
        self._flush()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._sink.sessions.discard(self)

    def close(self) -> None:
        """Hang up."""
        assert self._transport is not None
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._input += data
        while self._take_message() if self._in_message else self._take_command():
            pass
        self._flush()

    def _say(self, line: str) -> None:
        self._output.append(f"{line}\r\n")

    def _flush(self) -> None:
        """Answer all that came in one piece in one piece (RFC 2920 §3.2)."""
        if self._output:
            assert self._transport is not None
            self._transport.write("".join(self._output).encode("utf-8"))
            self._output.clear()

    def _forget(self) -> None:
        self._sender: str | None = None
        self._parameters: tuple[str, ...] = ()
        self._recipients: list[str] = []

    def _take_command(self) -> bool:
        """Answer one whole line; False: none has come yet."""
        end = self._input.find(b"\n")
        if end < 0 or self._upgrade is not None:
            if len(self._input) > _LONGEST_COMMAND:
                self._say("500 5.5.2 Line too long")
                self._hang_up()
            return False
        line = bytes(self._input[: end + 1])
        del self._input[: end + 1]
        if has_bare_line_end(line):
            self._say("500 5.5.2 Bare CR or LF")
            return True
        verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
        answer = self._verbs.get(verb.upper())
        if answer is None:
            self._say("500 5.5.1 Command unknown")
        else:
            answer(rest)
        return True

    def _take_message(self) -> bool:
        """Answer one whole letter; False: its end has not come yet."""
        # The CR LF that ended the line before counts for an empty letter's dot.
        end = self._input.find(_END, max(0, self._searched - len(_END)))
        if end < 0:
            self._searched = len(self._input)
            if self._searched > 2 * self._sink.max_size + _LONGEST_COMMAND:
                self._say("552 5.3.4 Too large")
                self._hang_up()
            return False
        raw = bytes(self._input[2 : end + 2])
        del self._input[: end + len(_END)]
        self._in_message = False
        self._judge(raw)
        self._forget()
        return True

    def _judge(self, raw: bytes) -> None:
        if has_bare_line_end(raw):
            self._say("550 5.6.0 Bare CR or LF")
        elif len(raw) > self._sink.max_size:
            self._say("552 5.3.4 Too large")
        else:
            self._accept(b"\r\n" + raw)

    def _accept(self, stuffed: bytes) -> None:
        received = Received(
            sender=self._sender or "",
            recipients=tuple(self._recipients),
            # RFC 5321 §4.5.2: the first dot of a line goes, whatever follows.
            message=stuffed.replace(b"\r\n.", b"\r\n")[2:],
            parameters=self._parameters,
            encrypted=self._encrypted,
        )
        self._sink.on_message(received)
        self._say("250 2.0.0 Taken")

    def _ehlo(self, _: str) -> None:
        offers = ["PIPELINING", "8BITMIME", f"SIZE {self._sink.max_size}", "SMTPUTF8"]
        if self._sink.tls is not None and not self._encrypted:
            offers.append("STARTTLS")
        self._say("\r\n".join(f"250-{offer}" for offer in ["sink.invalid", *offers]))
        self._helo("", "250 ENHANCEDSTATUSCODES")

    def _helo(self, _: str, answer: str = "250 sink.invalid") -> None:
        self._greeted = True
        self._forget()
        self._say(answer)

    def _mail(self, rest: str) -> None:
        path = _PATH.fullmatch(rest)
        if not self._greeted or self._sender is not None:
            self._say("503 5.5.1 Not now")
        elif path is None:
            self._say("501 5.5.4 MAIL FROM:<address>")
        elif self._declares_too_much(path[2] or ""):
            self._say("552 5.3.4 Too large")
        else:
            self._sender = path[1]
            self._parameters = tuple((path[2] or "").split())
            self._say("250 2.1.0 Ok")

    def _declares_too_much(self, parameters: str) -> bool:
        size = re.search(r"\bSIZE=(\d{1,20})\b", parameters, re.IGNORECASE)
        return size is not None and int(size[1]) > self._sink.max_size

    def _rcpt(self, rest: str) -> None:
        path = _PATH.fullmatch(rest)
        if self._sender is None:
            self._say("503 5.5.1 MAIL first")
        elif path is None or not path[1]:
            self._say("501 5.5.4 RCPT TO:<address>")
        else:
            self._recipients.append(path[1])
            self._say("250 2.1.5 Ok")

    def _data(self, _: str) -> None:
        if not self._recipients:
            self._say("503 5.5.1 RCPT first")
            return
        self._in_message = True
        self._input[:0] = b"\r\n"
        self._searched = 0
        self._say("354 End with CR LF . CR LF")

    def _rset(self, _: str) -> None:
        self._forget()
        self._say("250 2.0.0 Ok")

    def _quit(self, _: str) -> None:
        self._say("221 2.0.0 Bye")
        self._hang_up()

    def _hang_up(self) -> None:
        self._flush()
        self._input.clear()
        assert self._transport is not None
        self._transport.close()

    def _starttls(self, _: str) -> None:
        if self._sink.tls is None or self._encrypted:
            self._say("503 5.5.1 Not offered")
            return
        self._say("220 2.0.0 Ready")
        self._flush()
        # Whatever came behind STARTTLS came in the clear (RFC 3207 §4.2).
        self._input.clear()
        self._greeted = False
        self._forget()
        self._upgrade = asyncio.create_task(self._start_tls(self._sink.tls))

    async def _start_tls(self, context: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        assert self._transport is not None
        try:
            upgraded = await loop.start_tls(
                self._transport, self, context, server_side=True
            )
        except OSError:
            self.close()
            return
        assert isinstance(upgraded, asyncio.Transport)
        self._transport = upgraded
        self._encrypted = True
        self._upgrade = None
        # Commands may have come before this task had its turn.
        self.data_received(b"")
