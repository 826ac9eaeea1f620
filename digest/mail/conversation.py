"""One SMTP conversation: commands out in groups, replies in by their order.

It takes over a transport that was opened, encrypted and logged in. A server answers in
the order of the commands (RFC 5321 §4.1.1, RFC 2920 §3.2), so counting matches them.
"""

import asyncio
from collections import deque

from digest.mail.reply import CLOSING, Reply, one_line, parse_reply

_LONGEST = 8192
_LONGEST_KEPT = 4096
_MOST_LINES = 64


class Conversation(asyncio.Protocol):
    """The two directions of one connection.

    Args:
        transport: Open; its protocol is replaced by this one.

    Attributes:
        ended: Why it is over; None: it is not.
        unsent: Octets known not to have left when it ended, or so many at least.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self.ended: str | None = None
        self.unsent = 0
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._unread = b""
        self._lines: list[bytes] = []
        self._replies: deque[Reply] = deque()
        self._due = 0
        self._waiter: asyncio.Future[None] | None = None
        self._is_full = False
        transport.set_protocol(self)
        # Told at once when the kernel takes no more: how long the server may stop
        # reading is bounded, too (RFC 5321 §4.5.3.2.5). Not 0: TLS would take an
        # empty buffer for a full one.
        transport.set_write_buffer_limits(high=1, low=0)
        if transport.is_closing():
            self.end("The connection was lost")

    def write(self, *octets: bytes, replies: int) -> None:
        """Write, unless the conversation is over.

        Args:
            octets: Whole commands, a letter with its dot; they follow each other.
            replies: How many it will be answered by.
        """
        if self.ended is None:
            self._due += replies
            self._transport.writelines(octets)

    @property
    def was_cut(self) -> bool:
        """Whether it ended before everything had left."""
        return self.ended is not None and self._is_full

    @property
    def has_answer(self) -> bool:
        """Whether a reply has come that was not read."""
        return bool(self._replies)

    async def flush(self, *, seconds: float) -> None:
        """Wait until everything has left; after `seconds` without, it is over."""
        until = self._loop.time() + seconds if self._is_full else 0
        while self._is_full and self.ended is None:
            await self._wait(until, "The server stopped reading")

    async def read(self, *, seconds: float) -> Reply | None:
        """Wait for the next reply.

        Args:
            seconds: How long; then the conversation is over.

        Returns:
            The reply; None: the conversation is over, `ended` says why. Replies that
            came before it ended are still returned.
        """
        # For the whole answer: a server that sends it bit by bit gets no more.
        until = 0.0 if self._replies else self._loop.time() + seconds
        while not self._replies:
            if self.ended is not None:
                return None
            await self._wait(until, "The server did not answer in time")
        reply = self._replies.popleft()
        if reply.code == CLOSING:
            self.end(one_line(f"The server closes the connection: {reply}"))
        return reply

    def end(self, reason: str) -> None:
        """Hang up without a word; the first reason stays."""
        if self.ended is None:
            self.ended = reason
            # A transport that was cut off has forgotten what it had not sent.
            self.unsent = max(self._transport.get_write_buffer_size(), self._is_full)
            self._transport.abort()
        self._tell()

    def forget(self, reason: str) -> None:
        """Hang up, and forget answers that came: they are to what was given up."""
        self.end(reason)
        self._replies.clear()

    def close(self) -> None:
        """Hang up in good order."""
        self.ended = self.ended or "Closed"
        self._transport.close()

    async def _wait(self, until: float, complaint: str) -> None:
        self._waiter = self._loop.create_future()
        timer = self._loop.call_at(until, self.end, complaint)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _tell(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What the event loop calls.

    def data_received(self, data: bytes) -> None:
        """Cut what came into lines, and lines into replies."""
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            if self.ended is not None:
                return
            self._take(line.rstrip(b"\r"))
        if len(self._unread) > _LONGEST:
            self.end("The server's answer is too long")
        if self._replies:
            self._tell()

    def _take(self, line: bytes) -> None:
        code, mark = line[:3], line[3:4]
        is_reply = len(code) == len("250") and code.isdigit()
        if not is_reply or mark not in (b"", b" ", b"-") or len(line) > _LONGEST:
            self.end("The server's answer is not SMTP")
            return
        if mark == b"-":
            self._lines.append(line[4:])
            if len(self._lines) > _MOST_LINES:
                self.end("The server's answer is too long")
            return
        self._lines.append(line[4:])
        octets = b"\n".join(self._lines)[:_LONGEST_KEPT]
        text = octets.decode("utf-8", "surrogateescape")
        self._lines.clear()
        self._match(parse_reply(int(code), text))

    def _match(self, reply: Reply) -> None:
        """Match a reply to its command: what nobody asked for shifts all others."""
        if self._due:
            self._due -= 1
            self._replies.append(reply)
        else:
            self.end(one_line(f"The server said, unasked: {reply}"))

    def pause_writing(self) -> None:
        """Note that not everything has left."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Note that everything has left."""
        self._is_full = False
        self._tell()

    def eof_received(self) -> bool:
        """Hang up, too: the server will say nothing more."""
        self.end("The server hung up")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is gone."""
        self.end(one_line(f"The connection was lost{f': {exc}' if exc else ''}"))
