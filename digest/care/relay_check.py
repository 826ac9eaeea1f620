"""Is the relay there, does it speak TLS with a good certificate, does it know us?"""

import asyncio
import ssl
from datetime import UTC, datetime

import aiosmtplib

from digest.care.checks import Check, failed, passed
from digest.mail.relay import Relay, tls_context

_SECONDS = 10.0
_FEW_DAYS = 14


def check_relay(relay: Relay, *, now: datetime) -> list[Check]:
    """Connect to the relay as the sender would, and leave again.

    Args:
        relay: The server.
        now: For the days its certificate is still good.
    """
    return asyncio.run(_check(relay, now))


async def _check(relay: Relay, now: datetime) -> list[Check]:
    name = f"{relay.host}:{relay.port}"
    client = aiosmtplib.SMTP(
        hostname=relay.host,
        port=relay.port,
        use_tls=relay.security == "tls",
        start_tls=relay.security == "starttls",
        tls_context=tls_context(relay),
        username=relay.username,
        password=relay.password,
        timeout=_SECONDS,
    )
    try:
        await client.connect()
        await client.ehlo()
    except (aiosmtplib.SMTPException, OSError) as error:
        return [failed("smtp", f"{name}: {_one_line(error)}", _mend(error, relay))]
    try:
        return [_describe(client, name), *_check_certificate(client, now)]
    finally:
        await client.quit()


def _describe(client: aiosmtplib.SMTP, name: str) -> Check:
    wanted = ("pipelining", "8bitmime", "size", "smtputf8")
    offered = [word.upper() for word in wanted if client.supports_extension(word)]
    detail = f"{name} answers and offers {', '.join(offered) or 'no extension'}."
    slow = "" if "PIPELINING" in offered else "Without PIPELINING sending is slower."
    return passed("smtp", detail, slow)


def _check_certificate(client: aiosmtplib.SMTP, now: datetime) -> list[Check]:
    transport = client.transport
    certificate = transport.get_extra_info("peercert") if transport else None
    if not certificate:
        return []
    ends = datetime.fromtimestamp(
        ssl.cert_time_to_seconds(certificate["notAfter"]), tz=UTC
    )
    days = (ends - now).days
    detail = f"The relay's certificate is good for {days} more days."
    if days < _FEW_DAYS:
        return [failed("tls", detail, "Renew it on the relay.")]
    return [passed("tls", detail)]


def _mend(error: Exception, relay: Relay) -> str:
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return "Check DIGEST_SMTP__USERNAME and DIGEST_SMTP__PASSWORD."
    if isinstance(error, ssl.SSLError) or "certificate" in str(error).lower():
        return "Mend the relay's certificate, or name it as the certificate does."
    if relay.security != "none" and "STARTTLS" in str(error).upper():
        return "Set DIGEST_SMTP__SECURITY as the relay's documentation says."
    return "Check DIGEST_SMTP__HOST and DIGEST_SMTP__PORT, and that the relay runs."


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
