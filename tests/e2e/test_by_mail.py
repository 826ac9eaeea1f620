"""A reader's whole way by mail alone, through a real Postfix before the listener."""

import asyncio
import email
import email.policy
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from subprocess import Popen
from typing import Any

import aiosmtplib
import pytest

from bench import processes
from bench.installation import Installation
from bench.processes import free_port, module, smtp_sink, wait_until
from digest.cli.bench_edition import STORY
from digest.mail.sink import Received, Sink
from tests.postfix import Postfix, lack_of_postfix, postfix
from tests.sinks import running

pytestmark = pytest.mark.skipif(bool(lack_of_postfix()), reason=lack_of_postfix())

DOMAIN = "news.example.test"
DINA = "dina@reader.test"
BOB = "bob@reader.test"
_SECONDS = 20.0


@dataclass(kw_only=True)
class House:
    """An installation whose mail goes out and comes in through Postfix."""

    found: Installation
    relay: Postfix
    inbox: list[Received] = field(default_factory=list)
    process: Popen[bytes] | None = None

    def start(self) -> None:
        """Run what takes mail in and carries letters."""
        command = module("digest", "serve", "--only", "inbound,worker")
        process = processes.start(
            command, env=self.found.environment, log=self.found.log
        )
        port = int(self.found.settings["DIGEST_INBOUND__PORT"])
        self.process = process
        self.wait(
            lambda: processes.listens(port) or process.poll() is not None,
            "the listener",
        )
        assert process.poll() is None, self.found.log.read_text(encoding="utf-8")

    def stop(self) -> None:
        """Stop it; nothing it was at is lost."""
        if self.process is not None:
            self.process.terminate()
            assert self.process.wait() == 0, self.found.log.read_text(encoding="utf-8")
        self.process = None

    def send(self, to: str, *, sender: str = DINA, **fields: str) -> None:
        """Post a letter as a reader's mail program would."""
        message = EmailMessage()
        message["From"], message["To"] = sender, to
        text = fields.pop("text", "")
        for name, value in fields.items():
            message[name.replace("_", "-")] = value
        message["Message-ID"] = f"<{time.monotonic_ns()}@reader.test>"
        message.set_content(text)
        self.hand_over(message.as_bytes(policy=email.policy.SMTP), to, sender)

    def hand_over(self, raw: bytes, to: str, sender: str) -> None:
        port = self.relay.port
        sending = aiosmtplib.send(
            raw, sender=sender, recipients=[to], hostname="127.0.0.1", port=port
        )
        asyncio.run(sending)

    def received(self, reader: str) -> list[EmailMessage]:
        """Return the letters that reached a reader."""
        return [
            email.message_from_bytes(each.message, policy=email.policy.default)
            for each in list(self.inbox)
            if each.recipients == (reader,)
        ]

    def wait_for(self, reader: str, count: int) -> EmailMessage:
        """Wait until so many letters reached a reader; returns the last."""
        self.wait(lambda: len(self.received(reader)) >= count, f"letter {count}")
        found = self.received(reader)
        assert len(found) == count, [letter["Subject"] for letter in found]
        return found[-1]

    def wait(self, true: Callable[[], bool], what: str) -> None:
        wait_until(true, within=_SECONDS, what=f"{what}; Postfix: {self.relay.log}")

    def state(self, reader: str) -> str | None:
        shown: Any = self.found.run("subscribers", "show", reader)
        return next((held["state"] for held in shown["subscriptions"]), None)

    def quarantined(self, kind: str) -> list[dict[str, Any]]:
        rows = self.found.run("quarantine", "list")["items"]
        return [row for row in rows if row["kind"] == kind]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    relay, inbound = free_port(), free_port()
    settings = {
        "DIGEST_MAIL__DOMAIN": DOMAIN,
        "DIGEST_SMTP__PORT": str(relay),
        "DIGEST_SMTP__SECURITY": "none",
        "DIGEST_INBOUND__PROTOCOL": "lmtp",
        "DIGEST_INBOUND__PORT": str(inbound),
    }
    found = Installation(home=tmp_path / "home", settings=settings)
    found.run("init")
    found.run("newsletters", "add", "weekly-ar")
    letters: list[Received] = []
    with running(lambda: Sink(letters.append)) as sink, smtp_sink("-f", "RCPT") as gone:
        transports = {
            "reader.test": f"smtp:[127.0.0.1]:{sink}",
            "gone.test": f"smtp:[127.0.0.1]:{gone}",
        }
        with postfix(
            port=relay, domain=DOMAIN, inbound=inbound, transports=transports
        ) as server:
            house = House(found=found, relay=server, inbox=letters)
            try:
                house.start()
                yield house
            finally:
                house.stop()


@pytest.fixture
def relay() -> Iterator[Postfix]:
    """Postfix alone: what it refuses reaches nobody."""
    with postfix(port=free_port(), domain=DOMAIN) as server:
        yield server


def publish(house: House) -> None:
    """Release an edition of one story."""
    story = house.found.home / "story.txt"
    story.write_text(STORY, encoding="ascii")
    link = ("--url", "https://example.com/story", "--section", "news")
    house.found.run("articles", "import", str(story), *link)
    house.found.run("editions", "compose", "--articles", "1")
    house.found.run("editions", "approve", "1", "--because", "A trial.")
    house.found.run("editions", "release", "1")


def test_a_reader_joins_reads_and_leaves_by_mail(house: House) -> None:
    """One walk, since each step starts where the one before ended."""
    house.send(f"subscribe@{DOMAIN}", Subject="hello")
    asked = house.wait_for(DINA, 1)
    assert house.state(DINA) == "pending"
    assert not [name for name in asked if name.lower().startswith("list-")]

    house.send(
        asked["Reply-To"].addresses[0].addr_spec,
        Subject=f"Re: {asked['Subject']}",
        In_Reply_To=asked["Message-ID"],
        text="Yes, please.\n\n> Was it you?\n",
    )
    welcome = house.wait_for(DINA, 2)
    assert house.state(DINA) == "active"
    assert welcome["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    publish(house)
    edition = house.wait_for(DINA, 3)
    assert "A story for the bench" in edition.as_string()

    mailto = re.search(r"<mailto:([^>]+)>", edition["List-Unsubscribe"])
    assert mailto is not None
    house.send(mailto[1], Subject="unsubscribe")
    house.wait(lambda: house.state(DINA) == "unsubscribed", "leaving")
    assert house.quarantined("bounce") == []
    assert "status=bounced" not in house.relay.log


def test_an_arabic_reader_joins_in_arabic(house: House) -> None:
    house.send(f"subscribe+weekly-ar@{DOMAIN}", Subject="اشتراك")
    asked = house.wait_for(DINA, 1)
    house.send(
        asked["Reply-To"].addresses[0].addr_spec,
        Subject=f"رد: {asked['Subject']}",
        text="نعم\n",
    )
    welcome = house.wait_for(DINA, 2)

    assert welcome["Content-Language"] == "ar"
    assert house.state(DINA) == "active"


def test_robots_confirm_nothing_and_get_no_answer(house: House) -> None:
    house.send(f"subscribe@{DOMAIN}", sender=BOB, Subject="subscribe")
    asked = house.wait_for(BOB, 1)
    to = asked["Reply-To"].addresses[0].addr_spec

    house.send(to, sender=BOB, Subject="Away", Auto_Submitted="auto-replied")
    house.send(to, sender=BOB, Subject="Out of office", Precedence="bulk")
    # Behind them, so that they were read when its answer comes.
    house.send(f"unsubscribe@{DOMAIN}", Subject="unsubscribe")
    house.wait_for(DINA, 1)

    assert house.state(BOB) == "pending"
    assert len(house.received(BOB)) == 1


def test_what_cannot_be_delivered_is_reported_and_kept(house: House) -> None:
    house.found.run("subscribers", "add", "nobody@gone.test")

    house.wait(lambda: bool(house.quarantined("bounce")), "the report")

    (report,) = house.quarantined("bounce")
    assert report["recipient"].startswith("bounces+")
    assert report["sender"] == ""


@pytest.mark.parametrize("name", ["confirm+x", "bounces", "subscribe+-", "confirm+"])
def test_what_we_would_refuse_is_refused_before_a_bounce_is_due(
    relay: Postfix, name: str
) -> None:
    sending = aiosmtplib.send(
        b"Subject: hello\r\n\r\nhello\r\n",
        sender="victim@reader.test",
        recipients=[f"{name}@{DOMAIN}"],
        hostname="127.0.0.1",
        port=relay.port,
    )

    with pytest.raises(aiosmtplib.SMTPRecipientsRefused, match="550"):
        asyncio.run(sending)


def test_a_wrong_address_is_refused_while_the_sender_waits(house: House) -> None:
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused, match="550"):
        house.send(f"nobody@{DOMAIN}", Subject="hello")


def test_mail_waits_with_postfix_while_the_service_is_away(house: House) -> None:
    house.stop()
    house.send(f"subscribe@{DOMAIN}", Subject="hello")
    house.wait(lambda: "status=deferred" in house.relay.log, "a deferral")

    house.start()
    house.relay.flush()

    house.wait_for(DINA, 1)
    assert "status=bounced" not in house.relay.log
