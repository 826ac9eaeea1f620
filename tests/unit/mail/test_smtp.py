"""Carrying letters: every turn of a conversation, and what becomes of the letter."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest

from digest.domain.errors import SettingsError
from digest.mail.smtp import (
    Abandoned,
    Accepted,
    Broken,
    Connection,
    Envelope,
    Line,
    Outcome,
    Refused,
    Relay,
    Timeouts,
    connect,
)
from tests.fakes import (
    ACCEPTING,
    EHLO,
    GREETING,
    NOTHING,
    OPENING,
    Action,
    ScriptedServer,
    Turn,
    after,
    hang_up,
    make_certificate,
    pieces,
    slam,
    upgrade,
)

MESSAGE = b"Subject: Hello\r\n\r\nHello\r\n"
LETTER_OUT = Envelope("bounces@news.example", "alice@example.com", MESSAGE)
RESET: Turn = ("RSET", "250 2.0.0 Ok")


async def agree() -> bool:
    return True


async def decline() -> bool:
    return False


def relay_at(port: int, **changes: Any) -> Relay:
    relay = Relay(host="127.0.0.1", port=port, client_name="news.example")
    return replace(relay, **changes)


async def send_over(*scripts: Sequence[Turn], letters: int = 1) -> list[Outcome]:
    async with (
        ScriptedServer(*scripts) as server,
        Line(relay_at(server.port)) as line,
    ):
        return [await line.send(LETTER_OUT, before_data=agree) for _ in range(letters)]


def cut(stage: int, action: str | Action) -> list[Turn]:
    """The accepting script up to a stage, which acts otherwise."""
    return [*OPENING, *ACCEPTING[:stage], (ACCEPTING[stage][0], action)]


class TestOneLetter:
    async def test_is_accepted_with_the_reply(self) -> None:
        (outcome,) = await send_over([*OPENING, *ACCEPTING])

        assert isinstance(outcome, Accepted)
        assert str(outcome.reply) == "250 2.0.0 Taken"

    async def test_arrives_as_it_was(self) -> None:
        async with ScriptedServer([*OPENING, *ACCEPTING]) as server:
            async with Line(relay_at(server.port)) as line:
                await line.send(LETTER_OUT, before_data=agree)

            assert server.letters == [MESSAGE]
            assert server.heard == [
                "EHLO news.example",
                "MAIL FROM:<bounces@news.example>",
                "RCPT TO:<alice@example.com>",
                "DATA",
                "QUIT",
            ]

    async def test_writes_nothing_before_the_ledger_agrees(self) -> None:
        script = [*OPENING, *ACCEPTING[:2], RESET]
        async with (
            ScriptedServer(script) as server,
            Line(relay_at(server.port)) as line,
        ):
            outcome = await line.send(LETTER_OUT, before_data=decline)

            assert outcome == Abandoned()
            assert server.heard[-1] == "RSET"

    async def test_asks_the_ledger_only_once_the_recipient_is_accepted(self) -> None:
        asked = asyncio.Event()
        script = [*cut(1, "550 5.1.1 Unknown"), RESET]
        async with (
            ScriptedServer(script) as server,
            Line(relay_at(server.port)) as line,
        ):
            await line.send(LETTER_OUT, before_data=asked.wait)

        assert not asked.is_set()

    async def test_passes_on_what_the_ledger_raises_and_hangs_up(self) -> None:
        async def fail() -> bool:
            raise RuntimeError("the disk is full")

        async with (
            ScriptedServer([*OPENING, *ACCEPTING[:2]]) as server,
            Line(relay_at(server.port)) as line,
        ):
            with pytest.raises(RuntimeError, match="disk"):
                await line.send(LETTER_OUT, before_data=fail)

            assert server.heard[-1].startswith("RCPT")

    async def test_can_be_cancelled_while_the_server_thinks(self) -> None:
        never = asyncio.Event()
        heard = asyncio.Event()

        async def agree_and_tell() -> bool:
            heard.set()
            return True

        async with (
            ScriptedServer(cut(3, after(never, "250 Late"))) as server,
            Line(relay_at(server.port)) as line,
        ):
            task = asyncio.create_task(
                line.send(LETTER_OUT, before_data=agree_and_tell)
            )
            await heard.wait()
            task.cancel()

            with pytest.raises(asyncio.CancelledError):
                await task

    async def test_reads_an_answer_that_comes_in_pieces_and_lines(self) -> None:
        slow = pieces(b"250-2.0.0 Ta", b"ken\r\n250", b" 2.0.0 as 7\r\n")

        (outcome,) = await send_over(cut(3, slow))

        assert isinstance(outcome, Accepted)
        assert str(outcome.reply) == "250 2.0.0 Taken as 7"


class TestRefusal:
    @pytest.mark.parametrize(("turn", "stage"), [(0, "mail"), (1, "rcpt"), (2, "data")])
    async def test_names_the_stage_and_resets(self, turn: int, stage: str) -> None:
        script = [*cut(turn, "550 5.7.1 No"), RESET, *ACCEPTING]

        refused, accepted = await send_over(script, letters=2)

        assert isinstance(refused, Refused)
        assert (refused.stage, str(refused.reply)) == (stage, "550 5.7.1 No")
        assert isinstance(accepted, Accepted)

    async def test_after_the_dot_needs_no_reset(self) -> None:
        script = [*cut(3, "554 5.6.0 Not this"), *ACCEPTING]

        refused, accepted = await send_over(script, letters=2)

        assert isinstance(refused, Refused)
        assert refused.stage == "dot"
        assert isinstance(accepted, Accepted)

    @pytest.mark.parametrize(
        ("turn", "stage"), [(0, "mail"), (1, "rcpt"), (2, "data"), (3, "dot")]
    )
    async def test_421_is_answered_by_a_new_connection(
        self, turn: int, stage: str
    ) -> None:
        scripts = cut(turn, "421 4.3.2 Closing"), [*OPENING, *ACCEPTING]

        refused, accepted = await send_over(*scripts, letters=2)

        assert isinstance(refused, Refused)
        assert refused.stage == stage
        assert isinstance(accepted, Accepted)

    async def test_whose_reset_fails_ends_the_connection(self) -> None:
        first = [*cut(1, "550 5.1.1 No"), ("RSET", "500 What?")]

        refused, accepted = await send_over(first, [*OPENING, *ACCEPTING], letters=2)

        assert isinstance(refused, Refused)
        assert isinstance(accepted, Accepted)


class TestLoss:
    @pytest.mark.parametrize("end", [hang_up, slam])
    @pytest.mark.parametrize(("turn", "stage"), [(0, "mail"), (1, "rcpt"), (2, "data")])
    async def test_before_the_letter_leaves_no_doubt(
        self, end: Action, turn: int, stage: str
    ) -> None:
        (outcome,) = await send_over(cut(turn, end))

        assert isinstance(outcome, Broken)
        assert (outcome.stage, outcome.after_dot) == (stage, False)

    @pytest.mark.parametrize("end", [hang_up, slam])
    async def test_after_the_dot_leaves_the_letter_in_doubt(self, end: Action) -> None:
        (outcome,) = await send_over(cut(3, end))

        assert isinstance(outcome, Broken)
        assert (outcome.stage, outcome.after_dot) == ("dot", True)

    @pytest.mark.parametrize("turn", range(4))
    @pytest.mark.parametrize(
        "answer",
        ["nonsense", "25", "120 Wait", "x" * 9000],
        ids=["no-code", "short", "other-class", "endless"],
    )
    async def test_of_sense_ends_the_connection(self, turn: int, answer: str) -> None:
        outcome, accepted = await send_over(
            cut(turn, answer), [*OPENING, *ACCEPTING], letters=2
        )

        assert isinstance(outcome, Broken)
        assert outcome.after_dot == (turn == 3)
        assert isinstance(accepted, Accepted)

    async def test_of_sense_at_data_never_counts_as_permission(self) -> None:
        (outcome,) = await send_over(cut(2, "250 Ok"))

        assert outcome == Broken("data", "Unexpected answer: 250", after_dot=False)

    async def test_holds_no_control_characters_in_its_reason(self) -> None:
        (outcome,) = await send_over(cut(0, "\x1b[31mred\x00"))

        assert isinstance(outcome, Broken)
        assert outcome.reason.isprintable()

    @pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
    async def test_is_declared_when_an_answer_takes_too_long(self, stage: str) -> None:
        turn = ["mail", "rcpt", "data", "dot"].index(stage)
        never = asyncio.Event()
        timeouts = replace(Timeouts(), **{stage: 0.01})
        async with (
            ScriptedServer(cut(turn, after(never, "250 Late"))) as server,
            Line(relay_at(server.port, timeouts=timeouts)) as line,
        ):
            outcome = await line.send(LETTER_OUT, before_data=agree)

        assert isinstance(outcome, Broken)
        assert (outcome.stage, outcome.after_dot) == (stage, stage == "dot")


class TestKeptConnection:
    async def test_carries_letter_after_letter(self) -> None:
        outcomes = await send_over([*OPENING, *ACCEPTING, *ACCEPTING], letters=2)

        assert all(isinstance(outcome, Accepted) for outcome in outcomes)

    async def test_is_closed_after_its_share_of_letters(self) -> None:
        scripts = [[*OPENING, *ACCEPTING, ("QUIT", "221 Bye")]] * 2
        async with ScriptedServer(*scripts) as server:
            relay = relay_at(server.port, messages_per_connection=1)
            async with Line(relay) as line:
                for _ in range(2):
                    await line.send(LETTER_OUT, before_data=agree)

            assert server.heard.count("QUIT") == 2

    @pytest.mark.parametrize("end", [hang_up, "421 4.4.2 Idle for too long"])
    async def test_is_replaced_when_the_server_ended_it(
        self, end: str | Action
    ) -> None:
        first = [*OPENING, *ACCEPTING, ("MAIL", end)]

        outcomes = await send_over(first, [*OPENING, *ACCEPTING], letters=2)

        assert all(isinstance(outcome, Accepted) for outcome in outcomes)

    async def test_is_not_used_once_seen_to_be_closed(self) -> None:
        idle = asyncio.Event()
        first = [*OPENING, *ACCEPTING, (NOTHING, after(idle, hang_up))]
        async with (
            ScriptedServer(first, [*OPENING, *ACCEPTING]) as server,
            Line(relay_at(server.port)) as line,
        ):
            await line.send(LETTER_OUT, before_data=agree)
            idle.set()
            while line.is_open:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0)
            outcome = await line.send(LETTER_OUT, before_data=agree)

        assert isinstance(outcome, Accepted)

    async def test_is_closed_though_quit_goes_unanswered(self) -> None:
        script = [*OPENING, *ACCEPTING, ("QUIT", hang_up)]

        (outcome,) = await send_over(script)

        assert isinstance(outcome, Accepted)


class TestOpening:
    @pytest.mark.parametrize(
        ("script", "stage"),
        [
            ([(NOTHING, "554 5.7.1 Not from there")], "connect"),
            ([(NOTHING, "421 4.3.2 Busy")], "connect"),
            ([GREETING, ("EHLO", "421 Busy")], "ehlo"),
            ([GREETING, ("EHLO", "502 What?"), ("HELO", "550 No")], "ehlo"),
        ],
    )
    async def test_refused_is_a_refusal(self, script: list[Turn], stage: str) -> None:
        (outcome,) = await send_over(script)

        assert isinstance(outcome, Refused)
        assert outcome.stage == stage

    @pytest.mark.parametrize(
        ("script", "stage"),
        [
            ([(NOTHING, hang_up)], "connect"),
            ([(NOTHING, slam)], "connect"),
            ([(NOTHING, "HTTP/1.1 400 Bad Request")], "ehlo"),
            ([(NOTHING, "250 Odd")], "connect"),
            ([GREETING, ("EHLO", hang_up)], "ehlo"),
        ],
    )
    async def test_lost_is_a_loss(self, script: list[Turn], stage: str) -> None:
        (outcome,) = await send_over(script)

        assert isinstance(outcome, Broken)
        assert (outcome.stage, outcome.after_dot) == (stage, False)

    async def test_without_a_server_is_a_loss(self) -> None:
        async with ScriptedServer() as server:
            port = server.port

        outcome = await connect(relay_at(port))

        assert isinstance(outcome, Broken)
        assert outcome.stage == "connect"

    def test_lost_while_it_was_made_ready_is_noticed(self) -> None:
        with pytest.raises(aiosmtplib.SMTPServerDisconnected):
            Connection(aiosmtplib.SMTP(), relay_at(25))

    async def test_speaks_to_servers_that_know_only_helo(self) -> None:
        script = [GREETING, ("EHLO", "502 What?"), ("HELO", "250 Hi"), *ACCEPTING]

        (outcome,) = await send_over(script)

        assert isinstance(outcome, Accepted)


class TestWhatTheServerOffers:
    async def test_size_is_declared_and_kept_to(self) -> None:
        offer: Turn = ("EHLO", f"250-relay\n250 SIZE {len(MESSAGE)}")
        async with (
            ScriptedServer([GREETING, offer, *ACCEPTING]) as server,
            Line(relay_at(server.port)) as line,
        ):
            longer = Envelope("a@b.example", "c@d.example", MESSAGE + b"\r\n")
            refused = await line.send(longer, before_data=agree)
            accepted = await line.send(LETTER_OUT, before_data=agree)

            assert isinstance(refused, Refused)
            assert refused.reply.enhanced == "5.3.4"
            assert isinstance(accepted, Accepted)
            assert server.heard[1].endswith(f"> SIZE={len(MESSAGE)}")

    @pytest.mark.parametrize(
        "size", ["SIZE", "SIZE 0", "SIZE many", f"SIZE {'9' * 5000}"]
    )
    async def test_size_without_a_number_is_no_limit(self, size: str) -> None:
        script = [GREETING, ("EHLO", f"250-relay\n250 {size}"), *ACCEPTING]

        (outcome,) = await send_over(script)

        assert isinstance(outcome, Accepted)

    @pytest.mark.parametrize(
        ("offer", "sender", "recipient", "heard"),
        [
            ("8BITMIME", "a@b.example", "c@d.example", "BODY=8BITMIME"),
            ("SMTPUTF8", "a@b.example", "مثال@d.example", "BODY=8BITMIME SMTPUTF8"),
            ("SMTPUTF8", "مثال@b.example", "c@d.example", "BODY=8BITMIME SMTPUTF8"),
        ],
    )
    async def test_parameters_are_used_where_needed(
        self, offer: str, sender: str, recipient: str, heard: str
    ) -> None:
        script = [GREETING, ("EHLO", f"250-relay\n250 {offer}"), *ACCEPTING]
        letter = Envelope(sender, recipient, "To: é\r\n\r\n".encode())
        async with (
            ScriptedServer(script) as server,
            Line(relay_at(server.port)) as line,
        ):
            outcome = await line.send(letter, before_data=agree)

            assert isinstance(outcome, Accepted)
            assert server.heard[1] == f"MAIL FROM:<{sender}> {heard}"
            assert server.heard[2] == f"RCPT TO:<{recipient}>"

    @pytest.mark.parametrize(
        ("letter", "code"),
        [
            (Envelope("a@b.example", "é@d.example", MESSAGE), "5.6.7"),
            (Envelope("a@b.example", "c@d.example", "To: é\r\n".encode()), "5.6.3"),
            (Envelope("a@b.example", "", MESSAGE), "5.1.3"),
            (Envelope("a@b.example", "c@d.example\r\nDATA", MESSAGE), "5.1.3"),
            (Envelope("a@b.example", "c@d.example> SIZE=1", MESSAGE), "5.1.3"),
            (Envelope("a@b.example\nRSET", "c@d.example", MESSAGE), "5.1.7"),
            (Envelope("a@b.example", "c@d.example", b"a\n.\r\n"), "5.6.0"),
            (Envelope("a@b.example", "c@d.example", b"a\r.\r\n"), "5.6.0"),
            (Envelope("a@b.example", "c@d.example", b"a\0\r\n"), "5.6.0"),
            (Envelope("a@b.example", "c@d.example", b"a"), "5.6.0"),
        ],
    )
    async def test_what_it_must_not_get_is_refused_here(
        self, letter: Envelope, code: str
    ) -> None:
        script = [GREETING, ("EHLO", "250 relay")]
        async with (
            ScriptedServer(script) as server,
            Line(relay_at(server.port)) as line,
        ):
            outcome = await line.send(letter, before_data=agree)

            assert isinstance(outcome, Refused)
            assert outcome.reply.enhanced == code
            assert server.heard == ["EHLO news.example"]


STARTTLS_OFFER: Turn = ("EHLO", "250-relay\n250 STARTTLS")


class TestEncryption:
    async def test_starttls_is_used_and_ehlo_said_again(self, tmp_path: Path) -> None:
        certificate = make_certificate(tmp_path)
        script = [
            GREETING,
            STARTTLS_OFFER,
            ("STARTTLS", upgrade(certificate.server)),
            EHLO,
            *ACCEPTING,
        ]
        async with ScriptedServer(script) as server:
            relay = relay_at(
                server.port, security="starttls", ca_file=certificate.ca_file
            )
            async with Line(relay) as line:
                outcome = await line.send(LETTER_OUT, before_data=agree)

        assert isinstance(outcome, Accepted)

    @pytest.mark.parametrize(
        "script",
        [
            [GREETING, ("EHLO", "250 relay"), ("QUIT", "221 Bye")],
            [GREETING, STARTTLS_OFFER, ("STARTTLS", "454 4.7.0 Not now")],
            [GREETING, STARTTLS_OFFER, ("STARTTLS", hang_up)],
            [GREETING, STARTTLS_OFFER, ("STARTTLS", "220 Ready"), (NOTHING, hang_up)],
        ],
        ids=["stripped", "refused", "cut", "no-handshake"],
    )
    async def test_missing_stops_before_anything_is_said_in_the_clear(
        self, script: list[Turn]
    ) -> None:
        """A man in the middle takes STARTTLS away (CVE-2016-0772)."""
        async with ScriptedServer(script) as server:
            relay = relay_at(
                server.port, security="starttls", username="u", password="geheim"
            )
            outcome = await connect(relay)

            assert isinstance(outcome, Refused | Broken)
            assert not [h for h in server.heard if h.startswith(("AUTH", "MAIL"))]

    async def test_drops_what_was_injected_behind_the_220(self, tmp_path: Path) -> None:
        certificate = make_certificate(tmp_path)
        injected = b"250-evil\r\n250 AUTH PLAIN\r\n"
        script = [
            GREETING,
            STARTTLS_OFFER,
            ("STARTTLS", upgrade(certificate.server, injected=injected)),
            EHLO,
        ]
        async with ScriptedServer(script) as server:
            relay = relay_at(
                server.port, security="starttls", ca_file=certificate.ca_file
            )
            connection = await connect(relay)

            assert isinstance(connection, Connection)
            assert "auth" not in connection._extensions
            await connection.close()

    @pytest.mark.parametrize(
        ("host", "days", "trusted"),
        [("127.0.0.1", 30, ""), ("127.0.0.2", 30, "own"), ("127.0.0.1", -1, "own")],
        ids=["unknown-authority", "wrong-name", "expired"],
    )
    @pytest.mark.parametrize("security", ["starttls", "tls"])
    async def test_with_a_bad_certificate_is_refused(
        self, security: str, host: str, days: int, trusted: str, tmp_path: Path
    ) -> None:
        certificate = make_certificate(tmp_path, host=host, days=days)
        ca_file = certificate.ca_file if trusted else None
        script: list[Turn] = [
            GREETING,
            STARTTLS_OFFER,
            ("STARTTLS", upgrade(certificate.server)),
        ]
        context = certificate.server if security == "tls" else None
        async with ScriptedServer(script, tls=context) as server:
            relay = relay_at(server.port, security=security, ca_file=ca_file)
            outcome = await connect(relay)

        assert isinstance(outcome, Broken)
        assert "certificate" in outcome.reason.lower()

    async def test_from_the_first_byte(self, tmp_path: Path) -> None:
        certificate = make_certificate(tmp_path)
        script = [*OPENING, *ACCEPTING]
        async with ScriptedServer(script, tls=certificate.server) as server:
            relay = relay_at(server.port, security="tls", ca_file=certificate.ca_file)
            async with Line(relay) as line:
                outcome = await line.send(LETTER_OUT, before_data=agree)

        assert isinstance(outcome, Accepted)

    def test_needs_readable_authorities(self, tmp_path: Path) -> None:
        relay = relay_at(465, security="tls", ca_file=str(tmp_path / "none.pem"))

        with pytest.raises(SettingsError, match="cannot be read"):
            Line(relay)


class TestLogin:
    async def test_is_said_on_loopback_without_tls(self) -> None:
        script = [
            GREETING,
            ("EHLO", "250-relay\n250 AUTH PLAIN"),
            ("AUTH PLAIN", "235 2.7.0 Welcome"),
            *ACCEPTING,
        ]
        async with ScriptedServer(script) as server:
            relay = relay_at(server.port, username="u", password="geheim")
            async with Line(relay) as line:
                outcome = await line.send(LETTER_OUT, before_data=agree)

        assert isinstance(outcome, Accepted)

    async def test_refused_is_a_refusal_that_hides_the_password(self) -> None:
        script: list[Turn] = [
            GREETING,
            ("EHLO", "250-relay\n250 AUTH PLAIN"),
            ("AUTH PLAIN", "535 5.7.8 No"),
        ]
        async with ScriptedServer(script) as server:
            relay = relay_at(server.port, username="u", password="geheim")
            outcome = await connect(relay)

        assert isinstance(outcome, Refused)
        assert outcome.stage == "ehlo"
        assert "geheim" not in repr((relay, outcome))

    @pytest.mark.parametrize("host", ["relay.example", "192.0.2.1"])
    def test_is_never_sent_over_a_network_in_the_clear(self, host: str) -> None:
        with pytest.raises(SettingsError, match="in the clear"):
            Relay(host=host, port=25, username="u", password="geheim")

    @pytest.mark.parametrize("host", ["localhost", "::1"])
    def test_is_allowed_on_loopback(self, host: str) -> None:
        assert Relay(host=host, port=25, username="u", password="geheim").username
