"""One SMTP conversation: opened by aiosmtplib, its transactions carried by us.

The transaction is ours since the ledger must be written between RCPT and DATA, and
since what was lost before the final dot is another thing than what was lost after.
"""

import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiosmtplib

from digest.mail.envelope import Envelope, mail_command, refuse_locally, stuff
from digest.mail.outcomes import Abandoned, Accepted, Broken, Outcome, Refused
from digest.mail.relay import Relay, tls_context
from digest.mail.reply import Reply, Stage, one_line, parse_reply

BeforeData = Callable[[], Awaitable[bool]]

CLOSING = 421  # RFC 5321 §3.8: the server hangs up after it
_START_INPUT = 354
_FAILURES = (aiosmtplib.SMTPException, OSError)


class _EndedError(Exception):
    """The transaction is over before its time; says what became of the letter."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


class Connection:
    """One open conversation; carries letters one after the other.

    Args:
        client: Connected, greeted and, where wanted, logged in.
        relay: Where it is connected to.

    Raises:
        aiosmtplib.SMTPServerDisconnected: It has been lost meanwhile.
    """

    def __init__(self, client: aiosmtplib.SMTP, relay: Relay) -> None:
        if client.protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        self._client = client
        self._protocol = client.protocol
        self._relay = relay
        self.carried = 0
        timeouts = relay.timeouts
        self._patience: dict[Stage, float] = {
            "mail": timeouts.mail,
            "rcpt": timeouts.rcpt,
            "data": timeouts.data,
            "dot": timeouts.dot,
        }

    @property
    def is_usable(self) -> bool:
        """Whether another letter may be sent over it."""
        return (
            self._client.is_connected
            and self.carried < self._relay.messages_per_connection
        )

    async def send(self, envelope: Envelope, *, before_data: BeforeData) -> Outcome:
        """Carry one letter.

        Args:
            envelope: The letter.
            before_data: Awaited once RCPT is accepted, before DATA; False gives the
                letter up. What it raises ends the connection and is passed on.

        Returns:
            What became of it. After anything but `Broken` and an answer of 421 the
            connection can be used again.
        """
        if refused := next(refuse_locally(envelope, self._extensions), None):
            return refused
        self.carried += 1
        try:
            outcome = await self._transact(envelope, before_data)
            await self._tidy(outcome)
        except BaseException:
            # Nobody knows how far it came; nothing more may be said on it.
            self._client.close()
            raise
        return outcome

    @property
    def _extensions(self) -> dict[str, str]:
        return self._client.esmtp_extensions

    async def close(self) -> None:
        """Say QUIT, and hang up whatever the answer."""
        if self._client.is_connected:
            with suppress(*_FAILURES):
                await self._client.quit(timeout=self._relay.timeouts.quit)
            self._client.close()

    async def _transact(self, envelope: Envelope, before_data: BeforeData) -> Outcome:
        try:
            await self._say("mail", mail_command(envelope, self._extensions))
            await self._say("rcpt", f"RCPT TO:<{envelope.recipient}>")
            if not await before_data():
                return Abandoned()
            await self._say("data", "DATA", _START_INPUT)
            return Accepted(await self._write_message(envelope.message))
        except _EndedError as ended:
            return ended.outcome

    async def _say(self, stage: Stage, command: str, wanted: int = 250) -> Reply:
        """Write a command and read its answer."""
        try:
            response = await self._client.execute_command(
                command.encode("utf-8"), timeout=self._patience[stage]
            )
        except _FAILURES as error:
            raise _lost(stage, error) from None
        return _expect(response, stage, wanted)

    async def _write_message(self, message: bytes) -> Reply:
        """Write the letter and its dot, and read the answer."""
        try:
            self._protocol.write(stuff(message) + b".\r\n")
        except _FAILURES as error:
            raise _lost("dot", error) from None
        try:
            response = await self._protocol.read_response(self._patience["dot"])
        except _FAILURES as error:
            raise _lost("dot", error, after_dot=True) from None
        return _expect(response, "dot", 250)

    async def _tidy(self, outcome: Outcome) -> None:
        """Leave the connection ready for the next letter, or closed."""
        if isinstance(outcome, Broken) or _is_closing(outcome):
            self._client.close()
        elif isinstance(outcome, Abandoned) or (
            isinstance(outcome, Refused) and outcome.stage != "dot"
        ):
            await self._reset()

    async def _reset(self) -> None:
        """Forget the transaction (RFC 2920 §3.1); without an answer, hang up."""
        try:
            await self._client.rset(timeout=self._patience["mail"])
        except _FAILURES:
            self._client.close()


async def connect(
    relay: Relay, *, tls: ssl.SSLContext | None = None
) -> Connection | Refused | Broken:
    """Open a connection: TCP, TLS as the relay wants it, EHLO, AUTH.

    With `starttls`, a server that does not offer it or refuses it is not spoken to
    any further (RFC 3207 §4.1); what came in the clear behind its 220 is dropped.

    Args:
        relay: Where to.
        tls: What `tls_context(relay)` gave; None: made here.

    Returns:
        The connection, or why there is none.

    Raises:
        DigestError: The relay's `ca_file` cannot be read.
    """
    client = aiosmtplib.SMTP(
        hostname=relay.host,
        port=relay.port,
        use_tls=relay.security == "tls",
        start_tls=relay.security == "starttls",
        tls_context=tls or tls_context(relay),
        username=relay.username,
        password=relay.password,
        local_hostname=relay.client_name,
        timeout=relay.timeouts.connect,
    )
    try:
        await client.connect()
        await _greet(client)
        return Connection(client, relay)
    except _FAILURES as error:
        client.close()
        return _explain(error)


async def _greet(client: aiosmtplib.SMTP) -> None:
    """Say EHLO unless TLS or AUTH already needed it; HELO to what knows no EHLO."""
    if not client.is_ehlo_or_helo_needed:
        return
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        if not client.is_connected:
            raise
        await client.helo()


def _explain(error: aiosmtplib.SMTPException | OSError) -> Refused | Broken:
    is_early = isinstance(error, aiosmtplib.SMTPConnectError)
    stage: Stage = "connect" if is_early else "ehlo"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        reply = parse_reply(error.code, error.message)
        if _is_refusal(reply):
            return Refused(reply, stage)
    return Broken(stage, _describe(error), after_dot=False)


def _expect(response: aiosmtplib.SMTPResponse, stage: Stage, wanted: int) -> Reply:
    """Read an answer that is what was wanted; any other ends the transaction."""
    reply = parse_reply(response.code, response.message)
    if _is_refusal(reply):
        raise _EndedError(Refused(reply, stage))
    if reply.code // 100 != wanted // 100:
        # Its words may quote the recipient, and reasons outlive an erasure.
        reason = f"Unexpected answer: {reply.code}"
        raise _EndedError(Broken(stage, reason, after_dot=stage == "dot"))
    return reply


def _is_refusal(reply: Reply) -> bool:
    """RFC 5321 §4.2.1: 4yz and 5yz."""
    return reply.code // 100 in (4, 5)


def _is_closing(outcome: Outcome) -> bool:
    return isinstance(outcome, Refused) and outcome.reply.code == CLOSING


def _lost(stage: Stage, error: Exception, *, after_dot: bool = False) -> _EndedError:
    return _EndedError(Broken(stage, _describe(error), after_dot))


def _describe(error: Exception) -> str:
    words = getattr(error, "message", "") or str(error) or type(error).__name__
    return one_line(words)
