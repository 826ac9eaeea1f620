"""Messages handed to an LMTP server over a few connections, each answer timed."""

import asyncio
import hashlib
import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_HOST = "127.0.0.1"
_BARE = re.compile(rb"\r\n|\r|\n")
_ANSWER_SECONDS = 60.0


class Message(NamedTuple):
    """What is handed over, to one recipient.

    Attributes:
        raw: Lines end with CR LF unless that is what is tried.
        sender: Envelope sender; empty: the null sender.
        recipient: Of ours.
    """

    raw: bytes
    sender: str
    recipient: str


@dataclass(frozen=True, kw_only=True)
class Given:
    """A message in a spool.

    Attributes:
        digest: SHA-256 of the message.
        sender: Envelope sender; empty: the null sender.
        recipient: Of ours.
        start: Where its text is in the spool, dots stuffed.
        length: Of that.
    """

    digest: str
    sender: str
    recipient: str
    start: int
    length: int


def spool(path: Path, messages: Iterable[Message]) -> list[Given]:
    """Write messages to a file, so that handing them over costs next to nothing."""
    found: list[Given] = []
    with path.open("wb") as file:
        for raw, sender, recipient in messages:
            start = file.tell()
            length = file.write(_stuffed(raw))
            found.append(
                Given(
                    digest=hashlib.sha256(raw).hexdigest(),
                    sender=sender,
                    recipient=recipient,
                    start=start,
                    length=length,
                )
            )
    return found


@dataclass(frozen=True, kw_only=True)
class Answered:
    """How it was answered.

    Attributes:
        given: The message.
        code: To the data; 0: the connection ended instead.
        seconds: From the final dot.
    """

    given: Given
    code: int
    seconds: float


def with_line_ends(raw: bytes) -> bytes:
    """Return a message as a mail server hands it over: every line ended by CR LF."""
    text = b"\r\n".join(_BARE.split(raw))
    return text if text.endswith(b"\r\n") else text + b"\r\n"


def hand_over(
    port: int, path: Path, given: Iterable[Given], *, connections: int
) -> list[Answered]:
    """Hand over a spool's messages, one after another on each connection."""
    return asyncio.run(_hand_over(port, path, iter(given), connections))


async def _hand_over(
    port: int, path: Path, given: Iterator[Given], connections: int
) -> list[Answered]:
    answers: list[Answered] = []
    with path.open("rb") as file:
        async with asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(_talk(port, file.fileno(), given, answers))
    return answers


async def _talk(
    port: int, file: int, messages: Iterator[Given], answers: list[Answered]
) -> None:
    """Talk over a connection, and over a new one where that ends."""
    talk: _Talk | None = None
    for given in messages:
        talk = talk or await _Talk.open(port)
        answer = await talk.give(given, os.pread(file, given.length, given.start))
        answers.append(answer)
        if not answer.code:
            talk.close()
            talk = None
    if talk is not None:
        talk.close()


class _Talk:
    """One conversation (RFC 2033)."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "_Talk":
        found = cls(*await asyncio.open_connection(_HOST, port))
        await found._read()
        await found._say(b"LHLO bench.example")
        return found

    def close(self) -> None:
        self._writer.close()

    async def give(self, given: Given, text: bytes) -> Answered:
        began = time.perf_counter()
        try:
            for command in (
                f"MAIL FROM:<{given.sender}>",
                f"RCPT TO:<{given.recipient}>",
                "DATA",
            ):
                code = await self._say(command.encode("ascii"))
                if code >= 400:  # noqa: PLR2004 - RFC 5321 §4.2.1
                    await self._say(b"RSET")
                    return Answered(given=given, code=code, seconds=0.0)
            self._writer.write(text)
            await self._writer.drain()
            began = time.perf_counter()
            code = await self._say(b".")
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            code = 0
        return Answered(given=given, code=code, seconds=time.perf_counter() - began)

    async def _say(self, command: bytes) -> int:
        self._writer.write(command + b"\r\n")
        return await self._read()

    async def _read(self) -> int:
        async with asyncio.timeout(_ANSWER_SECONDS):
            line = await self._reader.readuntil(b"\r\n")
            while line[3:4] == b"-":
                line = await self._reader.readuntil(b"\r\n")
        return int(line[:3])


def _stuffed(raw: bytes) -> bytes:
    """Double dots that begin a line (RFC 5321 §4.5.2)."""
    stuffed = raw.replace(b"\r\n.", b"\r\n..")
    stuffed = b"." + stuffed if stuffed.startswith(b".") else stuffed
    return stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"
