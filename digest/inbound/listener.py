"""The listener that a mail server hands messages to: LMTP (RFC 2033) or SMTP.

It stands behind a mail server on a private address: that one does TLS, queues, and
asks who may send. What aiosmtpd leaves open is closed here:

* LMTP: one answer for each recipient after the final dot (RFC 2033 §4.2), also where
  the data is refused; aiosmtpd writes one.
* SMTP: one recipient at a time, since there is one answer for all of them.
* A bare CR or LF is refused: what one server takes for the end of a message another
  takes for its text (attack A5).
* Its log names addresses: only warnings are kept.
"""

import asyncio
import errno
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from digest.bootstrap import Service
from digest.domain.errors import DigestError
from digest.inbound import intake
from digest.inbound.data import read_data
from digest.inbound.intake import NOT_NOW, Reply
from digest.mail.envelope import has_bare_line_end

_log = structlog.get_logger()
_IDENT = "ready"
_MOST_RECIPIENTS = 100  # RFC 5321 §4.5.3.1.8
_READ_AHEAD = 64 * 1024
_LONGEST_COMMAND = 2048  # RFC 5321 §4.5.3.1.4, and room for extensions
_IDLE_SECONDS = 300
_DRAIN_SECONDS = 5
_ANSWER_SECONDS = 0.05

_BARE_REFUSED = Reply(
    code=554, text="5.6.0 Lines end with CR LF, and with nothing else"
)
_TOO_MANY = "452 4.5.3 Too many recipients, give it again for the others"
_BUSY = b"421 4.3.2 Too many connections, try again later\r\n"
_GO_ON = "354"
_OUT_OF_ORDER = "503 5.5.1 Not now: MAIL, RCPT, then DATA without anything behind it"

Deliver = Callable[[bytes, str, str], Awaitable[Reply]]


class _Doors:
    """What is open now, so that it can be counted and closed."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.open: set[_Door] = set()


class _Door(SMTP):
    """One connection."""

    line_length_limit = _READ_AHEAD

    def __init__(self, doors: _Doors, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._doors = doors
        # Its own is shared by all connections, and grows with each greeting.
        self.command_size_limits = defaultdict(lambda: _LONGEST_COMMAND)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Turn away who is one too many."""
        if len(self._doors.open) >= self._doors.most:
            assert isinstance(transport, asyncio.Transport)
            transport.write(_BUSY)
            transport.close()
            return
        self._doors.open.add(self)
        super().connection_made(transport)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - as its own
        """Take the message, and answer."""
        if await self.check_helo_needed():
            return
        assert self.session is not None
        assert self.envelope is not None
        if arg or not self.envelope.rcpt_tos:
            await self.push(_OUT_OF_ORDER)
            return
        await self.push(f"{_GO_ON} End with CR LF . CR LF")
        raw = await read_data(self._reader, most=self.data_size_limit or 0)
        if raw is None:
            await self.push(str(intake.TOO_LARGE))
        else:
            self.envelope.content = raw
            handler, envelope = self.event_handler, self.envelope
            await self.push(await handler.handle_DATA(self, self.session, envelope))
        self._set_rset_state()  # type: ignore[no-untyped-call] # as its own does

    def close(self) -> None:
        """End it; what was not answered was not promised."""
        if self.transport is not None:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Hear nothing of who was turned away."""
        if self in self._doors.open:
            super().data_received(data)

    def eof_received(self) -> bool | None:
        """See data_received."""
        return super().eof_received() if self in self._doors.open else False

    def connection_lost(self, error: Exception | None) -> None:
        """See data_received."""
        if self in self._doors.open:
            self._doors.open.discard(self)
            super().connection_lost(error)


class _LmtpDoor(_Door, LMTP):
    """One LMTP connection: as many answers as recipients."""

    _due = 0

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - as its own
        """Take the message, and answer for each recipient."""
        try:
            await super().smtp_DATA(arg)
        finally:
            self._due = 0

    async def push(self, status: Any) -> None:
        """Write a reply; one to the data as a whole once for each recipient."""
        # What the handler answers for each by itself is octets.
        if self._due and isinstance(status, str):
            status = "\r\n".join([status] * self._due)
        await super().push(status)
        if isinstance(status, str) and status.startswith(_GO_ON) and self.envelope:
            self._due = len(self.envelope.rcpt_tos)


class _Handler:
    """Answers commands; aiosmtpd finds these methods by their names.

    Args:
        service: The installation.
        deliver: Takes a message for one recipient.
        most_recipients: Of one message.
    """

    def __init__(
        self, service: Service, deliver: Deliver, *, most_recipients: int
    ) -> None:
        self._service = service
        self._deliver = deliver
        self._most = most_recipients

    async def handle_EHLO(  # noqa: N802 - as aiosmtpd names it
        self,
        _server: SMTP,
        session: Session,
        _envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """Offer PIPELINING, which RFC 2033 §5 demands; commands are read in order."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", *responses[-1:]]

    async def handle_RCPT(  # noqa: N802
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Take only addresses of ours; the answer tells nothing of readers."""
        if intake.find_recipient(self._service, address) is None:
            return str(intake.UNKNOWN)
        if len(envelope.rcpt_tos) >= self._most:
            return _TOO_MANY
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> bytes:
        """Keep the message for each recipient, then answer for each."""
        raw, sender = envelope.content, envelope.mail_from or ""
        assert isinstance(raw, bytes)
        sender = "" if sender == "<>" else sender
        replies = [
            _BARE_REFUSED
            if has_bare_line_end(raw)
            else await self._keep(raw, sender, recipient)
            for recipient in envelope.rcpt_tos
        ]
        return "\r\n".join(map(str, replies)).encode("ascii")

    async def handle_exception(self, error: Exception) -> str:
        """Tell the log, not the stranger."""
        _log.error("inbound.trouble", error=type(error).__name__, exc_info=error)
        return str(NOT_NOW)

    async def _keep(self, raw: bytes, sender: str, recipient: str) -> Reply:
        try:
            return await self._deliver(raw, sender, recipient)
        except Exception as error:  # noqa: BLE001 - each recipient has its own answer
            await self.handle_exception(error)
            return NOT_NOW


async def listen(
    service: Service, *, stop: asyncio.Event, ready: Callable[[int], None]
) -> None:
    """Take messages until told to stop; those under way have 5 s to end.

    Args:
        service: The installation; its settings name protocol and address.
        stop: Set it to end.
        ready: Called with the port once connections are taken.

    Raises:
        DigestError: The address cannot be listened on.
    """
    # Its log holds every address.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    settings, doors = (
        service.settings.inbound,
        _Doors(service.settings.inbound.connections),
    )
    under_way: set[asyncio.Future[Reply]] = set()

    async def deliver(raw: bytes, sender: str, recipient: str) -> Reply:
        taking = asyncio.ensure_future(
            asyncio.to_thread(
                intake.take, service, raw=raw, sender=sender, recipient=recipient
            )
        )
        under_way.add(taking)
        taking.add_done_callback(under_way.discard)
        return await asyncio.shield(taking)

    is_lmtp = settings.protocol == "lmtp"
    handler = _Handler(
        service, deliver, most_recipients=_MOST_RECIPIENTS if is_lmtp else 1
    )
    make = _LmtpDoor if is_lmtp else _Door

    def open_door() -> asyncio.Protocol:
        return make(
            doors,
            handler,
            data_size_limit=settings.message_octets,
            enable_SMTPUTF8=True,
            hostname=service.site.mail_domain,
            ident=_IDENT,
            timeout=_IDLE_SECONDS,
            loop=asyncio.get_running_loop(),
        )

    server = await _open(open_door, settings.host, settings.port)
    ready(server.sockets[0].getsockname()[1])
    await stop.wait()
    server.close()
    await _drain(under_way)
    for door in list(doors.open):
        door.close()


async def _drain(under_way: Collection[asyncio.Future[Reply]]) -> None:
    """Let messages that are being kept be kept and answered, also for the others."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + _DRAIN_SECONDS
    while under_way and loop.time() < ends:
        await asyncio.wait(under_way, timeout=ends - loop.time())
        await asyncio.sleep(_ANSWER_SECONDS)


async def _open(
    open_door: Callable[[], asyncio.Protocol], host: str, port: int
) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(open_door, host, port)
    except OSError as error:
        in_use = error.errno == errno.EADDRINUSE
        reason = "another program listens there" if in_use else error.strerror
        raise DigestError(
            f"Mail cannot be taken on {host} port {port}: {reason}.",
            "Set DIGEST_INBOUND__HOST and DIGEST_INBOUND__PORT.",
        ) from None
