"""The sink: takes every letter as it is, and never two for one."""

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings, strategies as st

from digest.mail.message import SlotName, prepare_body
from digest.mail.sink import Received, Sink
from digest.mail.smtp import Accepted, Envelope, Line, Relay
from tests.fakes import make_certificate

OPENING = b"EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n"


async def agree() -> bool:
    return True


async def converse(sink: Sink, *parts: bytes) -> list[str]:
    """Say everything at once, or in parts, and hear all that is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", sink.port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    answers = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return answers.splitlines()


async def hear_out(reader: asyncio.StreamReader) -> bytes:
    """Read to the end, be it a close or a reset."""
    heard = b""
    with suppress(OSError):
        while octets := await reader.read(100):
            heard += octets
    return heard


def carry(*messages: bytes) -> list[bytes]:
    """Send letters through a real connection and return what arrived."""
    received: list[Received] = []

    async def send() -> None:
        async with Sink(received.append) as sink:
            relay = Relay(host="127.0.0.1", port=sink.port, client_name="a.example")
            async with Line(relay) as line:
                for message in messages:
                    envelope = Envelope("a@b.example", "c@d.example", message)
                    outcome = await line.send(envelope, before_data=agree)
                    assert isinstance(outcome, Accepted)

    asyncio.run(send())
    return [letter.message for letter in received]


class TestLetters:
    @settings(max_examples=30)
    @given(
        st.lists(
            st.lists(st.sampled_from([b".", b"..", b"\r\n", b"a", b"\r\n.\r\n"]))
            .map(b"".join)
            .map(lambda body: body + b"\r\n"),
            min_size=1,
            max_size=5,
        )
    )
    def test_arrive_byte_for_byte(self, messages: list[bytes]) -> None:
        assert carry(*messages) == messages

    @pytest.mark.parametrize(
        "ending", ["\n.\n", "\r.\r", "\r\n.\n", "\n.\r\n", "\r\n.\r\n"]
    )
    def test_of_hostile_text_stay_one(self, ending: str) -> None:
        """CVE-2023-51764: an article that tries to end its letter and begin another."""
        hostile = f"Hello{ending}MAIL FROM:<eve@evil.example>\r\nRCPT TO:<x@y.example>"
        prepared = prepare_body(
            text=[hostile, SlotName("a")], html=None, boundary="b", language="en"
        )
        body = prepared.fill({"a": hostile})

        assert carry(b"\r\n" + body) == [b"\r\n" + body]

    @pytest.mark.parametrize(
        "ending",
        [
            *(b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r"),
            *(b"\r\n\0.\r\n", b"\n.\r", b"\r\n.\0\r\n", b"\r\r\n.\r\r\n"),
        ],
        ids=repr,
    )
    async def test_with_a_false_end_are_never_two(self, ending: bytes) -> None:
        """A smuggled second letter behind an end that is none (RFC 5321 §4.1.1.4)."""
        received: list[Received] = []
        second = b"MAIL FROM:<e@e.example>\r\nRCPT TO:<x@y.example>\r\nDATA\r\nEvil"
        async with Sink(received.append) as sink:
            await converse(
                sink,
                OPENING + b"DATA\r\nHello" + ending + second + b"\r\n.\r\nQUIT\r\n",
            )

        assert len(received) <= 1

    async def test_with_a_bare_line_end_are_refused(self) -> None:
        received: list[Received] = []
        async with Sink(received.append) as sink:
            answers = await converse(sink, OPENING + b"DATA\r\na\nb\r\n.\r\nQUIT\r\n")

        assert received == []
        assert answers[-2:] == ["550 5.6.0 Bare CR or LF", "221 2.0.0 Bye"]

    async def test_are_found_in_whatever_pieces_they_come(self) -> None:
        received: list[Received] = []
        whole = OPENING + b"DATA\r\nHello\r\n..\r\n.\r\nQUIT\r\n"
        async with Sink(received.append) as sink:
            reader, writer = await asyncio.open_connection("127.0.0.1", sink.port)
            for octet in whole:
                writer.write(bytes([octet]))
                await asyncio.sleep(0)
            await reader.read()
            writer.close()
            await writer.wait_closed()

        assert [letter.message for letter in received] == [b"Hello\r\n.\r\n"]

    async def test_come_with_their_envelope(self) -> None:
        received: list[Received] = []
        async with Sink(received.append) as sink:
            await converse(
                sink,
                b"HELO a\r\nMAIL FROM:<> BODY=8BITMIME SMTPUTF8\r\n"
                b"RCPT TO:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n"
                b"DATA\r\n.\r\nQUIT\r\n",
            )

        assert received == [
            Received(
                sender="",
                recipients=("a@b.example", "c@d.example"),
                message=b"",
                parameters=("BODY=8BITMIME", "SMTPUTF8"),
            )
        ]

    async def test_are_taken_pipelined(self) -> None:
        received: list[Received] = []
        one = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nHi\r\n.\r\n"
        async with Sink(received.append) as sink:
            await converse(sink, b"EHLO a\r\n", one * 50, b"QUIT\r\n")

        assert len(received) == 50


class TestCommands:
    @pytest.mark.parametrize(
        ("command", "answer"),
        [
            (b"NOOP\r\n", "250 2.0.0 Ok"),
            (b"rset\r\n", "250 2.0.0 Ok"),
            (b"WHAT\r\n", "500 5.5.1 Command unknown"),
            (b"NOOP\n", "500 5.5.2 Bare CR or LF"),
            (b"NO\rOP\r\n", "500 5.5.2 Bare CR or LF"),
            (b"STARTTLS\r\n", "503 5.5.1 Not offered"),
            (b"MAIL FROM:<a@b.example>\r\n", "503 5.5.1 Not now"),
            (b"RCPT TO:<a@b.example>\r\n", "503 5.5.1 MAIL first"),
            (b"DATA\r\n", "503 5.5.1 RCPT first"),
            (b"HELO a\r\nMAIL a@b.example\r\n", "501 5.5.4 MAIL FROM:<address>"),
            (b"HELO a\r\nMAIL FROM:<a@b> SIZE=11\r\n", "552 5.3.4 Too large"),
            (b"HELO a\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\n", "503 5.5.1 Not now"),
            (
                b"HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<>\r\n",
                "501 5.5.4 RCPT TO:<address>",
            ),
            (OPENING + b"DATA\r\n0123456789a\r\n.\r\n", "552 5.3.4 Too large"),
        ],
    )
    async def test_are_answered(self, command: bytes, answer: str) -> None:
        async with Sink(lambda _: None, max_size=10) as sink:
            answers = await converse(sink, command + b"QUIT\r\n")

        assert answers[-2:] == [answer, "221 2.0.0 Bye"]

    async def test_that_never_end_are_cut_off(self) -> None:
        async with Sink(lambda _: None) as sink:
            answers = await converse(sink, b"a" * 5000)

        assert answers[-1] == "500 5.5.2 Line too long"

    async def test_for_a_letter_that_never_ends_are_cut_off(self) -> None:
        async with Sink(lambda _: None, max_size=10) as sink:
            answers = await converse(sink, OPENING + b"DATA\r\n", b"a" * 5000)

        assert answers[-1] == "552 5.3.4 Too large"

    async def test_offer_what_the_sender_asks_for(self) -> None:
        async with Sink(lambda _: None) as sink:
            answers = await converse(sink, b"EHLO a\r\nQUIT\r\n")

        assert {"250-PIPELINING", "250-8BITMIME", "250-SMTPUTF8"} <= set(answers)

    async def test_end_when_the_sink_closes(self) -> None:
        async with Sink(lambda _: None) as sink:
            reader, writer = await asyncio.open_connection("127.0.0.1", sink.port)
            await reader.readline()

        assert await hear_out(reader) == b""
        writer.close()


class TestEncryption:
    @pytest.mark.parametrize("security", ["starttls", "tls"])
    async def test_is_noted_with_the_letter(
        self, security: Literal["starttls", "tls"], tmp_path: Path
    ) -> None:
        received: list[Received] = []
        certificate = make_certificate(tmp_path)
        async with Sink(
            received.append, tls=certificate.server, implicit_tls=security == "tls"
        ) as sink:
            relay = Relay(
                host="127.0.0.1",
                port=sink.port,
                security=security,
                client_name="a.example",
                ca_file=certificate.ca_file,
            )
            async with Line(relay) as line:
                envelope = Envelope("a@b.example", "c@d.example", b"Hi\r\n")
                await line.send(envelope, before_data=agree)

        assert [letter.encrypted for letter in received] == [True]

    async def test_forgets_what_came_in_the_clear(self, tmp_path: Path) -> None:
        """RFC 3207 §4.2: MAIL rides behind STARTTLS, before the handshake."""
        certificate = make_certificate(tmp_path)
        trusting = ssl.create_default_context(cafile=certificate.ca_file)
        async with Sink(lambda _: None, tls=certificate.server) as sink:
            reader, writer = await asyncio.open_connection("127.0.0.1", sink.port)
            await reader.readline()
            writer.write(b"EHLO a\r\nSTARTTLS\r\nMAIL FROM:<eve@evil.example>\r\n")
            while not (await reader.readline()).startswith(b"220"):
                pass
            await writer.start_tls(trusting, server_hostname="127.0.0.1")
            writer.write(b"RCPT TO:<a@b.example>\r\n")
            answer = await reader.readline()
            writer.close()

        assert answer == b"503 5.5.1 MAIL first\r\n"

    async def test_that_fails_ends_the_conversation(self, tmp_path: Path) -> None:
        certificate = make_certificate(tmp_path)
        async with Sink(lambda _: None, tls=certificate.server) as sink:
            reader, writer = await asyncio.open_connection("127.0.0.1", sink.port)
            await reader.readline()
            writer.write(b"STARTTLS\r\n")
            await reader.readline()
            writer.write(b"this is no handshake\r\n")
            heard = await hear_out(reader)
            writer.close()

        assert b"250" not in heard
