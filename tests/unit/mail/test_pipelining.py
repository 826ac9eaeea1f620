"""Pipelining: the next envelope rides with a letter, and every turn that can take."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
import uvloop

from digest.mail.smtp import (
    Abandoned,
    Accepted,
    Broken,
    Envelope,
    Line,
    Outcome,
    Refused,
    Relay,
    Timeouts,
)
from tests.fakes import (
    ACCEPTING,
    GREETING,
    LETTER,
    NOTHING,
    Action,
    ScriptedServer,
    Talk,
    Turn,
    after,
    hang_up,
    make_certificate,
    pieces,
    slam,
    upgrade,
)

OFFER: Turn = ("EHLO", "250-relay.example\n250-8BITMIME\n250 PIPELINING")
OPENING: Sequence[Turn] = (GREETING, OFFER)
MESSAGE = b"Subject: Hello\r\n\r\nHello\r\n"
Security = Literal["none", "starttls", "tls"]
RESET: Turn = ("RSET", "250 2.0.0 Ok")


def letters(count: int) -> list[Envelope]:
    return [
        Envelope("bounces@news.example", f"r{n}@example.com", MESSAGE)
        for n in range(count)
    ]


async def agree() -> bool:
    return True


def relay_at(port: int) -> Relay:
    return Relay(host="127.0.0.1", port=port, client_name="news.example")


def _give(envelope: Envelope | None) -> Envelope | None:
    return envelope


async def carry(line: Line, envelopes: Sequence[Envelope]) -> list[Outcome]:
    """Carry letters, each with the next one's envelope behind it."""
    outcomes = []
    for n, envelope in enumerate(envelopes):
        ahead = envelopes[n + 1] if n + 1 < len(envelopes) else None
        outcomes.append(
            await line.send(
                envelope, before_data=agree, following=partial(_give, ahead)
            )
        )
    return outcomes


async def carry_over(*scripts: Sequence[Turn], count: int = 2) -> list[Outcome]:
    async with (
        ScriptedServer(*scripts) as server,
        Line(relay_at(server.port)) as line,
    ):
        return await carry(line, letters(count))


def second(stage: int, action: str | Action) -> list[Turn]:
    """A first letter that is taken, and a second one up to a stage."""
    mine = ACCEPTING[stage][0], action
    return [*OPENING, *ACCEPTING, *ACCEPTING[:stage], mine]


class TestRiding:
    async def test_carries_letter_after_letter(self) -> None:
        outcomes = await carry_over(
            [*OPENING, *ACCEPTING, *ACCEPTING, *ACCEPTING], count=3
        )

        assert all(isinstance(outcome, Accepted) for outcome in outcomes)

    async def test_writes_the_next_envelope_before_the_answer_to_the_dot(self) -> None:
        answered = asyncio.Event()

        async def hear_three(talk: object) -> None:
            del talk
            answered.set()

        script = [
            *OPENING,
            *ACCEPTING[:3],
            (LETTER, hear_three),
            ("MAIL", "250 Taken\n250 Ok".replace("\n", "\r\n")),
            *ACCEPTING[1:],
        ]

        outcomes = await carry_over(script)

        assert answered.is_set()
        assert all(isinstance(outcome, Accepted) for outcome in outcomes)

    async def test_asks_the_ledger_only_once_the_server_wants_the_letter(self) -> None:
        asked: list[bool] = []

        async def note() -> bool:
            asked.append(True)
            return True

        script = [
            *OPENING,
            ACCEPTING[0],
            ("RCPT", "550 5.1.1 Unknown"),
            ("DATA", "503 5.5.1 No recipients"),
            RESET,
        ]
        async with (
            ScriptedServer(script) as server,
            Line(relay_at(server.port)) as line,
        ):
            await line.send(letters(1)[0], before_data=note)

        assert asked == []

    async def test_ends_with_the_connections_share(self) -> None:
        first = [*OPENING, *ACCEPTING, ("QUIT", "221 Bye")]
        async with ScriptedServer(first, [*OPENING, *ACCEPTING]) as server:
            relay = replace(relay_at(server.port), messages_per_connection=1)
            async with Line(relay) as line:
                outcomes = await carry(line, letters(2))

        assert all(isinstance(outcome, Accepted) for outcome in outcomes)

    async def test_leaves_out_what_this_server_would_not_take(self) -> None:
        async with (
            ScriptedServer([*OPENING, *ACCEPTING]) as server,
            Line(relay_at(server.port)) as line,
        ):
            first = letters(1)[0]
            foreign = replace(first, recipient="مثال@example.com")
            accepted, refused = await carry(line, [first, foreign])

            assert isinstance(accepted, Accepted)
            assert isinstance(refused, Refused)
            assert "QUIT" not in server.heard

    async def test_reads_answers_in_any_pieces(self) -> None:
        torn = pieces(
            b"250 Ta", b"ken\r", b"\n250-Well", b"\r\n250 Ok\r", b"\n250 Ok\r\n"
        )
        script = [
            *OPENING,
            *ACCEPTING[:3],
            (LETTER, torn),
            ("MAIL", pieces()),
            ("RCPT", pieces()),
            *ACCEPTING[2:],
        ]

        outcomes = await carry_over(script)

        assert all(isinstance(outcome, Accepted) for outcome in outcomes)


class TestRefusal:
    @pytest.mark.parametrize(
        ("answers", "stage"),
        [
            (["451 4.3.0 Later", "503 MAIL first", "503 RCPT first"], "mail"),
            (["250 Ok", "550 5.1.1 Unknown", "554 No recipients"], "rcpt"),
            (["250 Ok", "250 Ok", "451 4.3.0 Later"], "data"),
        ],
    )
    async def test_in_a_pipeline_is_matched_and_reset(
        self, answers: list[str], stage: str
    ) -> None:
        verbs = ("MAIL", "RCPT", "DATA")
        refusing = list(zip(verbs, answers, strict=True))
        script: list[Turn] = [*OPENING, *ACCEPTING, *refusing, RESET, *ACCEPTING]

        taken, refused, again = await carry_over(script, count=3)

        assert isinstance(taken, Accepted)
        assert isinstance(refused, Refused)
        assert refused.stage == stage
        assert isinstance(again, Accepted)

    async def test_whose_data_was_allowed_gets_a_lone_dot(self) -> None:
        """RFC 2920 §3.1: some servers answer 354 though no recipient is left."""
        script: list[Turn] = [
            *OPENING,
            ("MAIL", "250 Ok"),
            ("RCPT", "550 5.1.1 Unknown"),
            ("DATA", "354 Go on"),
            (".", "554 5.5.0 No recipients"),
            *ACCEPTING,
        ]

        refused, accepted = await carry_over(script)

        assert isinstance(refused, Refused)
        assert isinstance(accepted, Accepted)

    async def test_of_the_letter_leaves_the_envelope_behind_it_valid(self) -> None:
        script = [
            *OPENING,
            *ACCEPTING[:3],
            (LETTER, "554 5.6.0 Not this"),
            *ACCEPTING,
        ]

        refused, accepted = await carry_over(script)

        assert isinstance(refused, Refused)
        assert refused.stage == "dot"
        assert isinstance(accepted, Accepted)

    @pytest.mark.parametrize(("turn", "stage"), [(1, "rcpt"), (2, "data"), (3, "dot")])
    async def test_421_ends_the_connection(self, turn: int, stage: str) -> None:
        scripts = second(turn, "421 4.3.2 Closing"), [*OPENING, *ACCEPTING]

        taken, refused, accepted = await carry_over(*scripts, count=3)

        assert isinstance(taken, Accepted)
        assert isinstance(refused, Refused)
        assert refused.stage == stage
        assert isinstance(accepted, Accepted)

    @pytest.mark.parametrize("end", ["421 4.7.0 Enough for one connection", hang_up])
    async def test_of_a_connections_next_letter_is_no_refusal_of_the_letter(
        self, end: str | Action
    ) -> None:
        taken, accepted = await carry_over(second(0, end), [*OPENING, *ACCEPTING])

        assert isinstance(taken, Accepted)
        assert isinstance(accepted, Accepted)


class TestLoss:
    @pytest.mark.parametrize("end", [hang_up, slam])
    @pytest.mark.parametrize(("turn", "stage"), [(1, "rcpt"), (2, "data")])
    async def test_before_the_letter_leaves_no_doubt(
        self, end: Action, turn: int, stage: str
    ) -> None:
        _, broken = await carry_over(second(turn, end))

        assert isinstance(broken, Broken)
        assert broken.stage == stage
        assert not broken.after_dot

    @pytest.mark.parametrize("end", [hang_up, slam])
    async def test_after_the_dot_leaves_only_that_letter_in_doubt(
        self, end: Action
    ) -> None:
        scripts = [*OPENING, *ACCEPTING[:3], (LETTER, end)], [*OPENING, *ACCEPTING]

        doubtful, accepted = await carry_over(*scripts)

        assert isinstance(doubtful, Broken)
        assert doubtful.after_dot
        assert isinstance(accepted, Accepted)

    async def test_while_the_ledger_is_asked_leaves_no_doubt(self) -> None:
        async def wait_for_the_end() -> bool:
            while line.is_open:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0)
            return True

        script = [*OPENING, *ACCEPTING[:3], (NOTHING, "421 4.4.2 Too slow")]
        async with (
            ScriptedServer(script) as server,
            Line(relay_at(server.port)) as line,
        ):
            outcome = await line.send(letters(1)[0], before_data=wait_for_the_end)

        assert isinstance(outcome, Broken)
        assert not outcome.after_dot

    @pytest.mark.parametrize("garbage", ["nonsense", "25", "x" * 9000])
    async def test_of_sense_in_a_pipeline_ends_the_connection(
        self, garbage: str
    ) -> None:
        _, broken = await carry_over(second(1, garbage))

        assert isinstance(broken, Broken)

    async def test_of_count_is_noticed(self) -> None:
        """An answer nobody asked for would shift all others by one."""
        unasked = "354 Go on\n250 Unasked".replace("\n", "\r\n")
        scripts = second(2, unasked), [*OPENING, *ACCEPTING]

        _, broken, accepted = await carry_over(*scripts, count=3)

        assert isinstance(broken, Broken)
        assert not broken.after_dot
        assert isinstance(accepted, Accepted)

    async def test_of_count_without_end_is_noticed(self) -> None:
        _, broken = await carry_over(second(1, "\n".join(["250-more"] * 80)))

        assert isinstance(broken, Broken)

    async def test_to_a_server_that_stops_reading_leaves_no_doubt(self) -> None:
        never = asyncio.Event()
        timeouts = replace(Timeouts(), block=0.05)
        script = [*OPENING, *ACCEPTING[:2], ("DATA", after(never, "354 Late"))]
        large = Envelope("a@news.example", "r@example.com", MESSAGE * 400_000)
        script[-1] = ("DATA", "354 Go on")
        script.append((NOTHING, after(never, "250 Late")))
        async with ScriptedServer(script) as server:
            relay = replace(relay_at(server.port), timeouts=timeouts)
            async with Line(relay) as line:
                outcome = await line.send(large, before_data=agree)

        assert isinstance(outcome, Broken)
        assert (outcome.stage, outcome.after_dot) == ("dot", False)

    @pytest.mark.parametrize(
        "run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"]
    )
    def test_of_patience_with_the_dot_is_not_that_with_reading(
        self, tmp_path: Path, run: Callable[..., list[Outcome]]
    ) -> None:
        """Over TLS an empty buffer must not look like a full one."""
        certificate = make_certificate(tmp_path)

        async def talk() -> list[Outcome]:
            thought = asyncio.Event()
            slow = [*ACCEPTING[:3], (LETTER, after(thought, "250 2.0.0 Taken"))]
            script = [*OPENING, *ACCEPTING, *slow]
            asyncio.get_running_loop().call_later(0.3, thought.set)
            async with ScriptedServer(script, tls=certificate.server) as server:
                relay = replace(
                    relay_at(server.port),
                    security="tls",
                    ca_file=certificate.ca_file,
                    timeouts=replace(Timeouts(), block=0.05),
                )
                async with Line(relay) as line:
                    return await carry(line, letters(2))

        outcomes = run(talk())

        assert [type(outcome) for outcome in outcomes] == [Accepted] * 2

    async def test_of_time_is_not_made_up_for_by_answering_bit_by_bit(
        self, tmp_path: Path
    ) -> None:
        async def drip(talk: Talk) -> None:
            for octet in b"250 2.0.0 Taken":
                await talk.write(bytes([octet]))
                await asyncio.sleep(0.1)

        certificate = make_certificate(tmp_path)
        script = [*OPENING, *ACCEPTING[:3], (LETTER, drip)]
        async with ScriptedServer(script, tls=certificate.server) as server:
            relay = replace(
                relay_at(server.port),
                security="tls",
                ca_file=certificate.ca_file,
                timeouts=replace(Timeouts(), dot=0.25),
            )
            async with Line(relay) as line:
                (outcome,) = await carry(line, letters(1))

        assert isinstance(outcome, Broken)
        assert outcome.after_dot

    async def test_of_the_thread_ends_the_connection(self) -> None:
        scripts = second(0, "503 5.5.1 Greet first"), [*OPENING, *ACCEPTING]
        scripts[0].extend(
            [("RCPT", "503 5.5.1 No sender"), ("DATA", "503 5.5.1 No recipient")]
        )

        _, refused, accepted = await carry_over(*scripts, count=3)

        assert isinstance(refused, Refused)
        assert refused.reply.code == 503
        assert isinstance(accepted, Accepted)

    @pytest.mark.parametrize("end", [hang_up, slam])
    async def test_amid_a_large_letter_leaves_no_doubt(self, end: Action) -> None:
        (outcome,) = await carry_large(("Subject", end))

        assert isinstance(outcome, Broken)
        assert (outcome.stage, outcome.after_dot) == ("dot", False)

    async def test_of_order_is_no_success(self) -> None:
        """A server that takes a letter it does not have has lost count, or lies."""
        (outcome,) = await carry_large(("Subject", "250 2.0.0 Taken"))

        assert isinstance(outcome, Broken)
        assert not outcome.after_dot

    async def test_of_interest_in_a_large_letter_is_a_refusal(self) -> None:
        (outcome,) = await carry_large(("Subject", "552 5.3.4 Too large"))

        assert isinstance(outcome, Refused)
        assert (outcome.reply.code, outcome.stage) == (552, "dot")

    async def test_of_a_large_letters_dots_would_be_noticed(self) -> None:
        message = b"Subject: Dots\r\n\r\n" + b"...\r\n" * 100_000
        async with ScriptedServer([*OPENING, *ACCEPTING, *ACCEPTING]) as server:
            async with Line(relay_at(server.port)) as line:
                outcomes = await carry(line, [*letters_of(message), *letters(1)])

            assert [type(outcome) for outcome in outcomes] == [Accepted] * 2
            assert server.letters[0].replace(b"\r\n....", b"\r\n...") == message


async def carry_large(turn: Turn) -> list[Outcome]:
    """Carry a letter no socket holds to a server that acts before it has read it."""
    async with ScriptedServer([*OPENING, *ACCEPTING[:3], turn]) as server:
        relay = replace(relay_at(server.port), timeouts=replace(Timeouts(), block=1))
        async with Line(relay) as line:
            return await carry(line, letters_of(MESSAGE * 800_000))


def letters_of(message: bytes) -> list[Envelope]:
    return [Envelope("bounces@news.example", "large@example.com", message)]


class TestGivingUp:
    async def test_a_letter_the_server_waits_for_hangs_up(self) -> None:
        async def decline() -> bool:
            return False

        scripts = [*OPENING, *ACCEPTING[:3]], [*OPENING, *ACCEPTING]
        async with (
            ScriptedServer(*scripts) as server,
            Line(relay_at(server.port)) as line,
        ):
            first, other = letters(2)
            abandoned = await line.send(first, before_data=decline)
            accepted = await line.send(other, before_data=agree)

            assert abandoned == Abandoned()
            assert isinstance(accepted, Accepted)
            assert len(server.letters) == 1

    async def test_an_envelope_that_rode_ahead_never_becomes_a_letter(self) -> None:
        scripts = [*OPENING, *ACCEPTING, *ACCEPTING[:3]], [*OPENING, *ACCEPTING]
        async with (
            ScriptedServer(*scripts) as server,
            Line(relay_at(server.port)) as line,
        ):
            first, given_up, other = letters(3)
            await line.send(first, before_data=agree, following=lambda: given_up)
            line.give_up(given_up)
            await line.send(other, before_data=agree)

            assert len(server.letters) == 2
            assert f"RCPT TO:<{given_up.recipient}>" in server.heard

    async def test_is_implied_by_sending_another_letter(self) -> None:
        scripts = [*OPENING, *ACCEPTING, *ACCEPTING[:3]], [*OPENING, *ACCEPTING]
        async with (
            ScriptedServer(*scripts) as server,
            Line(relay_at(server.port)) as line,
        ):
            first, skipped, other = letters(3)
            await line.send(first, before_data=agree, following=lambda: skipped)
            outcome = await line.send(other, before_data=agree)

            assert isinstance(outcome, Accepted)
            assert f"RCPT TO:<{other.recipient}>" in server.heard

    async def test_of_what_is_not_ahead_changes_nothing(self) -> None:
        async with (
            ScriptedServer([*OPENING, *ACCEPTING]) as server,
            Line(relay_at(server.port)) as line,
        ):
            line.give_up(letters(1)[0])
            (outcome,) = await carry(line, letters(1))

        assert isinstance(outcome, Accepted)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_works_on_both_loops_with_and_without_tls(
    tmp_path: Path, security: Security, run: Callable[..., list[Outcome]]
) -> None:
    certificate = make_certificate(tmp_path)
    opening = {
        "none": OPENING,
        "tls": OPENING,
        "starttls": [
            GREETING,
            ("EHLO", "250-relay\n250 STARTTLS"),
            ("STARTTLS", upgrade(certificate.server)),
            OFFER,
        ],
    }[security]
    tls = certificate.server if security == "tls" else None

    async def talk() -> list[Outcome]:
        async with ScriptedServer(
            [*opening, *ACCEPTING, *ACCEPTING, *ACCEPTING], tls=tls
        ) as server:
            relay = replace(
                relay_at(server.port), security=security, ca_file=certificate.ca_file
            )
            async with Line(relay) as line:
                return await carry(line, letters(3))

    outcomes = run(talk())

    assert [type(outcome) for outcome in outcomes] == [Accepted] * 3
