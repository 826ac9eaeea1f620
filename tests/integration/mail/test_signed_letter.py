"""A letter's whole way: prepared, filled, signed, carried over TLS, read by others."""

import email
import email.policy
from pathlib import Path

import dkim

from digest.mail.dkim import Signer, dns_record, generate_key
from digest.mail.message import (
    Field,
    SlotName,
    format_date,
    mailbox,
    prepare_body,
    write_fields,
)
from digest.mail.sink import Received, Sink
from digest.mail.smtp import Accepted, Envelope, Line, Relay
from tests.builders import NOW
from tests.fakes import make_certificate

KEY = generate_key()
SIGNER = Signer("news.example", "digest", KEY)
PREPARED = prepare_body(
    text=["Good evening.\n\n.\n..\nLeave: https://n.example/u/", SlotName("token")],
    html=[
        '<p>أهلًا</p>\n.\n<a href="https://n.example/u/',
        SlotName("token"),
        '">x</a>',
    ],
    boundary="week-19",
    language="en",
)


async def agree() -> bool:
    return True


def write_letter(token: str, recipient: str) -> bytes:
    body = PREPARED.fill({"token": token})
    fields: list[Field] = [
        ("From", mailbox("شوارع", "weekly@news.example")),
        ("To", recipient),
        ("Subject", "الأسبوع"),
        ("Date", format_date(NOW)),
        ("Message-ID", f"<{token}@news.example>"),
        ("List-Unsubscribe", f"<https://n.example/u/{token}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        *PREPARED.content_fields,
    ]
    signature = SIGNER.sign(fields, body, at=NOW)
    return write_fields([signature, *fields]) + b"\r\n" + body


async def send_all(folder: Path, letters: dict[str, bytes]) -> list[Received]:
    received: list[Received] = []
    certificate = make_certificate(folder)
    async with Sink(received.append, tls=certificate.server) as sink:
        relay = Relay(
            host="127.0.0.1",
            port=sink.port,
            security="starttls",
            client_name="news.example",
            ca_file=certificate.ca_file,
        )
        async with Line(relay) as line:
            for recipient, letter in letters.items():
                envelope = Envelope("bounces@news.example", recipient, letter)
                outcome = await line.send(envelope, before_data=agree)
                assert isinstance(outcome, Accepted)
    return received


async def test_arrives_signed_and_unchanged(tmp_path: Path) -> None:
    recipients = ["alice@example.com", "bob@example.com"]
    letters = {r: write_letter("k" * 40 + r[0], r) for r in recipients}

    received = await send_all(tmp_path, letters)

    record = dns_record(KEY, domain="news.example", selector="digest").value.encode()
    assert {r.recipients[0]: r.message for r in received} == letters
    assert all(
        dkim.verify(r.message, dnsfunc=lambda _name, **_: record) for r in received
    )


async def test_reads_as_it_was_written(tmp_path: Path) -> None:
    letter = write_letter("t0k3n", "alice@example.com")

    (received,) = await send_all(tmp_path, {"alice@example.com": letter})

    read = email.message_from_bytes(received.message, policy=email.policy.default)
    plain, rich = (part.get_content() for part in read.iter_parts())
    assert read["Subject"] == "الأسبوع"
    assert plain.splitlines()[2:4] == [".", ".."]
    assert plain.endswith("/u/t0k3n")
    assert 'href="https://n.example/u/t0k3n"' in rich
