"""Open a connection to a relay, as far as the first letter."""

import ssl

import aiosmtplib

from digest.mail.connection import Connection, is_refusal
from digest.mail.outcomes import Broken, Refused
from digest.mail.relay import Relay, tls_context
from digest.mail.reply import Stage, one_line, parse_reply

_FAILURES = (aiosmtplib.SMTPException, OSError)


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
        if is_refusal(reply):
            return Refused(reply, stage)
    words = getattr(error, "message", "") or str(error) or type(error).__name__
    return Broken(stage, one_line(words), after_dot=False)
