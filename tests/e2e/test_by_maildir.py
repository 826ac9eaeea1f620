"""A real Postfix leaves mail in a Maildir, which is read: the envelope survives."""

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import aiosmtplib
import pytest

from bench.processes import free_port, wait_until
from digest.bootstrap import Service
from digest.domain.site import Site
from digest.inbound.mailboxes import make_readers
from digest.settings import Settings
from tests.builders import add_newsletter
from tests.integration.inbound.common import kept
from tests.integration.inbound.writing import letters
from tests.postfix import Postfix, lack_of_postfix, postfix

pytestmark = pytest.mark.skipif(bool(lack_of_postfix()), reason=lack_of_postfix())

DOMAIN = "news.example.test"
DINA = "dina@reader.test"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that another account may write to."""
    with tempfile.TemporaryDirectory(prefix="maildir-") as made:
        Path(made).chmod(0o777)
        yield Path(made)


@pytest.fixture
def reading(service: Service, folder: Path) -> Service:
    add_newsletter(service.db)
    values = {"maildir": {"folder": str(folder / "all")}}
    site = Site(base_url=service.site.base_url, mail_domain=DOMAIN)
    return replace(service, settings=Settings.model_validate(values), site=site)


@pytest.fixture
def server(folder: Path) -> Iterator[Postfix]:
    with postfix(port=free_port(), domain=DOMAIN, maildir=folder) as found:
        yield found


def post(server: Postfix, to: str, raw: bytes) -> None:
    sending = aiosmtplib.send(
        raw, sender=DINA, recipients=[to], hostname="127.0.0.1", port=server.port
    )
    asyncio.run(sending)


def wait_for(folder: Path, count: int) -> None:
    new = folder / "all" / "new"
    wait_until(
        lambda: new.is_dir() and len(list(new.iterdir())) == count,
        within=20,
        what=f"{count} messages",
    )


def test_the_envelope_is_read_from_what_postfix_writes(
    server: Postfix, reading: Service, folder: Path
) -> None:
    """Neither To nor From name it, as with Bcc and with automatic senders."""
    forged = f"Delivered-To: complaints@{DOMAIN}\r\nReturn-Path: <a@b.example>\r\n"
    raw = f"{forged}From: {DINA}\r\nTo: list@elsewhere.test\r\n\r\nx\r\n".encode()
    token = "a" * 37
    for name in ("subscribe", f"bounces+{token}", "nobody"):
        post(server, f"{name}@{DOMAIN}", raw)
    wait_for(folder, 3)

    (reader,) = make_readers(reading)
    good = reader.look()

    assert good
    assert {(sender, to) for sender, to, _ in kept(reading)} == {
        (DINA, f"subscribe@{DOMAIN}"),
        (DINA, f"bounces+{token}@{DOMAIN}"),
    }
    assert letters(reading) == [f"confirmation {DINA}"]
    assert len(list((folder / "all" / ".Refused" / "cur").iterdir())) == 1
