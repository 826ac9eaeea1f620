"""AUTH (RFC 4954): inside TLS, after the certificate was verified, and never before."""

from base64 import b64decode, b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from digest.mail.smtp import (
    Accepted,
    Broken,
    Connection,
    Envelope,
    Line,
    Refused,
    Relay,
    connect,
)
from tests.fakes import (
    ACCEPTING,
    GREETING,
    Certificate,
    ScriptedServer,
    Talk,
    Turn,
    make_certificate,
    upgrade,
)

LETTER_OUT = Envelope(
    "bounces@news.example", "alice@example.com", b"To: you\r\n\r\n\r\n"
)
USER, PASSWORD = "news", "geheim ✓"
PLAIN = b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
OFFER: Turn = ("EHLO", "250-relay\n250-STARTTLS\n250 AUTH PLAIN LOGIN")
LOGIN_OFFER: Turn = ("EHLO", "250-relay\n250 AUTH LOGIN")
Security = Literal["starttls", "tls"]
BOTH = pytest.mark.parametrize("security", ["starttls", "tls"])


class Doorman:
    """Answers AUTH, and notes whether it was said inside TLS."""

    def __init__(self, answer: str = "235 2.7.0 Welcome") -> None:
        self.answer = answer
        self.saw_tls: list[bool] = []

    async def __call__(self, talk: Talk) -> None:
        self.saw_tls.append(talk.writer.get_extra_info("ssl_object") is not None)
        await talk.write(f"{self.answer}\r\n".encode())


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path)


def serve(security: Security, certificate: Certificate, *turns: Turn) -> ScriptedServer:
    """A relay that offers AUTH in the clear already, which is a trap."""
    if security == "tls":
        return ScriptedServer([GREETING, *turns], tls=certificate.server)
    start = ("STARTTLS", upgrade(certificate.server))
    return ScriptedServer([GREETING, OFFER, start, *turns])


def relay_at(server: ScriptedServer, security: Security, **changes: Any) -> Relay:
    relay = Relay(
        host="127.0.0.1",
        port=server.port,
        security=security,
        username=USER,
        password=PASSWORD,
        client_name="news.example",
    )
    return replace(relay, **changes)


@BOTH
async def test_the_password_is_said_inside_tls(
    security: Security, certificate: Certificate
) -> None:
    doorman = Doorman()
    turns = [OFFER, (f"AUTH PLAIN {PLAIN}", doorman), *ACCEPTING]
    async with serve(security, certificate, *turns) as server:
        relay = relay_at(server, security, ca_file=certificate.ca_file)
        async with Line(relay) as line:
            outcome = await line.send(LETTER_OUT, before_data=agree)

    assert isinstance(outcome, Accepted)
    assert doorman.saw_tls == [True]


@BOTH
async def test_a_relay_that_knows_only_login_is_logged_in_to(
    security: Security, certificate: Certificate
) -> None:
    doorman = Doorman()
    turns = [
        LOGIN_OFFER,
        ("AUTH LOGIN", "334 UGFzc3dvcmQ6"),
        (b64encode(PASSWORD.encode()).decode(), doorman),
    ]
    async with serve(security, certificate, *turns) as server:
        connection = await connect(
            relay_at(server, security, ca_file=certificate.ca_file)
        )

        assert isinstance(connection, Connection)
        await connection.close()
        name = next(h for h in server.heard if h.startswith("AUTH")).split()[2]

    assert b64decode(name).decode() == USER
    assert doorman.saw_tls == [True]


@BOTH
async def test_the_password_is_never_said_to_a_stranger(
    security: Security, certificate: Certificate
) -> None:
    async with serve(security, certificate) as server:
        outcome = await connect(relay_at(server, security))

        assert isinstance(outcome, Broken)
        assert not [h for h in server.heard if "AUTH" in h or PLAIN in h]


async def test_the_password_is_not_said_while_starttls_is_refused() -> None:
    script: list[Turn] = [GREETING, OFFER, ("STARTTLS", "454 4.7.0 Not now")]
    async with ScriptedServer(script) as server:
        outcome = await connect(relay_at(server, "starttls"))

        assert isinstance(outcome, Refused | Broken)
        assert not [h for h in server.heard if "AUTH" in h or PLAIN in h]


@BOTH
async def test_a_wrong_password_is_a_refusal_that_does_not_show_it(
    security: Security, certificate: Certificate
) -> None:
    doorman = Doorman(f"535 5.7.8 {USER} is not known here")
    offer: Turn = ("EHLO", "250-relay\n250 AUTH PLAIN")
    turns = [offer, (f"AUTH PLAIN {PLAIN}", doorman)]
    async with serve(security, certificate, *turns) as server:
        relay = relay_at(server, security, ca_file=certificate.ca_file)

        outcome = await connect(relay)

    assert isinstance(outcome, Refused)
    assert str(outcome.reply).startswith("535 5.7.8")
    assert not [text for text in (PASSWORD, PLAIN) if text in repr((relay, outcome))]


async def agree() -> bool:
    """The ledger has nothing against it."""
    return True
