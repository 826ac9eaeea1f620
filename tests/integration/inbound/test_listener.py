"""The listener as a mail server meets it, over real sockets."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy import event

from digest.bootstrap import Service
from digest.domain.errors import DigestError
from digest.inbound import listener
from digest.settings import Settings
from tests.integration.inbound.writing import (
    ALICE,
    DOMAIN,
    add_reader,
    letters,
    make_message,
    rows,
)

pytestmark = pytest.mark.usefixtures("weekly")
ENDINGS = [
    *(b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\n.\r", b"\r.\n"),
    *(b"\r.\r\n", b"\r\n\x00.\r\n", b"\r\n.\x00\r\n", b"\r\r\n.\r\r\n"),
]


class Client:
    """A mail server that says exactly what it is told."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer

    @property
    def peer(self) -> tuple[str, int]:
        """Where the listener is."""
        host, port = self._writer.get_extra_info("peername")[:2]
        return host, port

    async def say(self, octets: bytes, replies: int = 1) -> list[str]:
        """Write, and read so many replies."""
        self._writer.write(octets)
        return [await self.hear() for _ in range(replies)]

    async def hear(self) -> str:
        """Read one reply, its last line; empty at the end."""
        while True:
            line = (await self._reader.readline()).decode()
            if line[3:4] != "-":
                return line.strip()

    async def send(self, raw: bytes, *names: str, sender: str = ALICE) -> list[str]:
        """Hand one message over for some recipients; returns what follows the dot."""
        await self.say(f"MAIL FROM:<{sender}>\r\n".encode())
        asked = [
            (await self.say(f"RCPT TO:<{name}@{DOMAIN}>\r\n".encode()))[0]
            for name in names
        ]
        accepted = [each for each in asked if each.startswith("250")]
        await self.say(b"DATA\r\n")
        return await self.say(raw + b".\r\n", len(accepted))

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        await self._writer.wait_closed()


def set_up(service: Service, protocol: str = "lmtp", **more: object) -> Service:
    """The same installation with a listener on any free port."""
    inbound = {"protocol": protocol, "port": 0, **more}
    settings = Settings.model_validate(
        {"home": service.settings.home, "inbound": inbound}
    )
    return replace(service, settings=settings)


@asynccontextmanager
async def listening(service: Service) -> AsyncIterator[Callable[[], Awaitable[Client]]]:
    """Run the listener; yields what opens a greeted connection to it."""
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        listener.listen(service, stop=stop, ready=port.set_result)
    )
    await port

    async def connect() -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", port.result()))
        greeting = await client.hear()
        if greeting.startswith("220"):
            hello = b"LHLO" if service.settings.inbound.protocol == "lmtp" else b"EHLO"
            await client.say(hello + b" mx.example.org\r\n")
        return client

    try:
        yield connect
    finally:
        stop.set()
        await task


async def test_lmtp_answers_for_each_recipient(service: Service) -> None:
    async with listening(set_up(service)) as connect:
        client = await connect()

        replies = await client.send(make_message(), "subscribe", "abuse", "complaints")

        await client.close()
    assert replies == ["250 2.0.0 Kept"] * 3
    assert len(rows(service, "inbox")) == 3


async def test_what_is_kept_is_what_was_sent_without_the_doubled_dots(
    service: Service,
) -> None:
    raw = make_message("one\n.two\n..three\n\x00\u00e9" + "x" * 2000)
    async with listening(set_up(service)) as connect:
        client = await connect()

        await client.send(raw.replace(b"\r\n.", b"\r\n.."), "abuse", sender="")

        await client.close()
    assert [row.raw for row in rows(service, "inbox_raw")] == [raw]


async def test_one_recipient_that_cannot_be_kept_is_refused_alone(
    service: Service,
) -> None:
    # The database refuses exactly one of three rows.
    with service.db.write() as tx:
        tx.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON inbox WHEN NEW.recipient LIKE"
            " 'abuse@%' BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
    async with listening(set_up(service)) as connect:
        client = await connect()

        replies = await client.send(make_message(), "subscribe", "abuse", "complaints")

        await client.close()
    codes = [reply[:9] for reply in replies]
    assert codes == ["250 2.0.0", "451 4.3.0", "250 2.0.0"]


@pytest.mark.parametrize(
    ("pragma", "answer"),
    [("max_page_count = 1", "452 4.3.1"), ("query_only = on", "451 4.3.0")],
    ids=["full", "read-only"],
)
async def test_a_database_that_takes_nothing_is_no_reason_to_lose_mail(
    service: Service, pragma: str, answer: str
) -> None:
    event.listen(
        service.db.engine, "connect", lambda c, _: c.execute(f"PRAGMA {pragma}")
    )
    service.db.engine.dispose()
    large = b"Subject: large\r\n" + b"x" * 900 + b"\r\n" * 30_000
    async with listening(set_up(service)) as connect:
        client = await connect()

        replies = await client.send(large, "subscribe", "abuse")

        await client.close()
    assert [reply[:9] for reply in replies] == [answer] * 2


async def test_a_database_that_is_locked_is_waited_for_then_asked_later(
    service: Service,
) -> None:
    event.listen(
        service.db.engine, "connect", lambda c, _: c.execute("PRAGMA busy_timeout = 50")
    )
    service.db.engine.dispose()
    other = sqlite3.connect(service.settings.home / "digest.db")
    other.execute("BEGIN IMMEDIATE")
    async with listening(set_up(service)) as connect:
        client = await connect()

        locked = await client.send(make_message(), "subscribe")
        other.rollback()
        free = await client.send(make_message(), "subscribe")

        await client.close()
    other.close()
    assert [locked[0][:9], free[0][:9]] == ["451 4.3.0", "250 2.0.0"]


async def test_data_that_is_too_large_is_refused_for_each_recipient(
    service: Service,
) -> None:
    small = set_up(service, message_octets=65536)
    async with listening(small) as connect:
        client = await connect()

        replies = await client.send(b"x" * 70 + b"\r\n" * 40000, "subscribe", "abuse")
        after = await client.say(b"NOOP\r\n")

        await client.close()
    assert [reply[:3] for reply in replies] == ["552", "552"]
    assert after == ["250 OK"]


async def test_the_last_of_the_disk_is_not_filled_by_strangers(
    service: Service,
) -> None:
    full = set_up(service, spare_octets=2**62)
    async with listening(full) as connect:
        client = await connect()

        replies = await client.send(make_message(), "abuse")

        await client.close()
    assert [reply[:9] for reply in replies] == ["452 4.3.1"]
    assert rows(service, "inbox") == []


async def test_a_declared_size_is_refused_before_the_data(service: Service) -> None:
    async with listening(set_up(service, message_octets=65536)) as connect:
        client = await connect()

        replies = await client.say(b"MAIL FROM:<a@example.org> SIZE=65537\r\n")

        await client.close()
    assert replies[0].startswith("552")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("protocol", ["lmtp", "smtp"])
async def test_no_second_message_is_smuggled_in(
    service: Service, ending: bytes, protocol: str
) -> None:
    inner = b"MAIL FROM:<x@example.net>\r\nRCPT TO:<abuse@%b>\r\nDATA\r\n" % (
        DOMAIN.encode()
    )
    async with listening(set_up(service, protocol)) as connect:
        client = await connect()

        raw = make_message("first") + ending + inner + make_message("second")
        replies = await client.send(raw, "complaints")

        await client.close()
    kept = [row.recipient for row in rows(service, "inbox")]
    is_whole = b"\x00" in ending
    assert kept == ([f"complaints@{DOMAIN}"] if is_whole else [])
    assert replies[0].startswith("250" if is_whole else "554 5.6.0")


@pytest.mark.parametrize(
    "name",
    ["nobody", "confirm", "confirm+short", "bounces", "alice", "unsubscribe+x", "root"],
)
async def test_an_unknown_address_is_refused_before_the_data(
    service: Service, name: str
) -> None:
    add_reader(service, f"alice@{DOMAIN}")
    async with listening(set_up(service)) as connect:
        client = await connect()

        await client.say(b"MAIL FROM:<>\r\n")
        replies = await client.say(f"RCPT TO:<{name}@{DOMAIN}>\r\n".encode())

        await client.close()
    assert replies == ["550 5.1.1 No such address here"]


async def test_another_domain_is_not_relayed_to(service: Service) -> None:
    async with listening(set_up(service)) as connect:
        client = await connect()

        await client.say(b"MAIL FROM:<a@example.org>\r\n")
        replies = await client.say(b"RCPT TO:<subscribe@example.org>\r\n")

        await client.close()
    assert replies == ["550 5.1.1 No such address here"]


async def test_smtp_takes_one_recipient_at_a_time(service: Service) -> None:
    async with listening(set_up(service, "smtp")) as connect:
        client = await connect()

        replies = await client.say(
            f"MAIL FROM:<{ALICE}>\r\nRCPT TO:<subscribe@{DOMAIN}>\r\n"
            f"RCPT TO:<abuse@{DOMAIN}>\r\n".encode(),
            3,
        )

        await client.close()
    assert [reply[:9] for reply in replies][1:] == ["250 2.1.5", "452 4.5.3"]


async def test_commands_in_a_group_are_answered_in_order(service: Service) -> None:
    async with listening(set_up(service)) as connect:
        client = await connect()
        group = f"MAIL FROM:<{ALICE}>\r\nRCPT TO:<subscribe@{DOMAIN}>\r\nDATA\r\n"

        replies = await client.say(group.encode(), 3)
        kept = await client.say(make_message() + b".\r\nQUIT\r\n", 2)

        await client.close()
    assert [each[:3] for each in [*replies, *kept]] == [
        "250",
        "250",
        "354",
        "250",
        "221",
    ]
    assert letters(service) == [f"confirmation {ALICE}"]


async def test_a_line_that_is_longer_than_any_is_kept_all_the_same(
    service: Service,
) -> None:
    async with listening(set_up(service)) as connect:
        client = await connect()

        replies = await client.send(b"x" * 3_000_000 + b"\r\n", "subscribe", "abuse")

        await client.close()
    assert [reply[:3] for reply in replies] == ["250", "250"]
    assert [row.octets for row in rows(service, "inbox")] == [3_000_002] * 2


async def test_one_connection_too_many_is_told_to_come_back(service: Service) -> None:
    async with listening(set_up(service, connections=1)) as connect:
        first = await connect()

        second = Client(*await asyncio.open_connection(*first.peer))
        greeting = await second.hear()

        await second.close()
        await first.close()
    assert greeting.startswith("421 4.3.2")


async def test_a_client_that_hangs_up_within_the_data_left_nothing(
    service: Service,
) -> None:
    async with listening(set_up(service)) as connect:
        client = await connect()
        await client.say(f"MAIL FROM:<{ALICE}>\r\n".encode())
        await client.say(f"RCPT TO:<subscribe@{DOMAIN}>\r\n".encode())
        await client.say(b"DATA\r\n")
        await client.say(make_message(), 0)
        await client.close()

    assert rows(service, "inbox") == []


async def test_an_address_in_use_is_named(service: Service) -> None:
    async with listening(set_up(service)) as connect:
        client = await connect()
        taken = set_up(service, port=client.peer[1])

        with pytest.raises(DigestError, match="another program listens there"):
            await listener.listen(taken, stop=asyncio.Event(), ready=print)

        await client.close()


async def test_addresses_are_not_logged(
    service: Service,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with listening(set_up(service)) as connect:
        client = await connect()
        await client.send(make_message(), "subscribe")
        await client.close()

    out, err = capfd.readouterr()
    assert "alice" not in out + err + caplog.text
