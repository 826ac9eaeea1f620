"""Replies: read as servers write them, judged by whose trouble they tell of."""

from typing import cast

import pytest
from hypothesis import given, strategies as st

from digest.mail.reply import Reply, Stage, parse_reply
from digest.mail.verdict import Fault, Verdict, judge

RECIPIENT, POLICY = Fault.RECIPIENT, Fault.POLICY
TRANSPORT, MESSAGE = Fault.TRANSPORT, Fault.MESSAGE

# What servers said at a stage, under what is to be made of it.
JUDGED = {
    # The mailbox is not there: its address may be suppressed.
    Verdict(RECIPIENT, permanent=True, reason="no-such-mailbox"): (
        "rcpt: 550 5.1.1 <a@b.c>: User unknown",
        "dot: 550 5.1.1 Unknown",
        "rcpt: 550 No such user here",
        "rcpt: 554 Mailbox does not exist",
        "dot: 554 delivery error: user unknown",
        "rcpt: 550 5.5.0 Requested action not taken: mailbox unavailable",
        "rcpt: 550 5.4.1 Recipient address rejected: Access denied. AS(201806281)",
        "rcpt: 550",
    ),
    Verdict(RECIPIENT, permanent=True, reason="no-such-domain"): (
        "rcpt: 550 5.1.2 Bad domain",
        "rcpt: 556 No mail here",
    ),
    Verdict(RECIPIENT, permanent=True, reason="domain-takes-no-mail"): (
        "rcpt: 556 5.1.10 Null MX",
    ),
    Verdict(RECIPIENT, permanent=True, reason="mailbox-disabled"): (
        "rcpt: 550 5.2.1 Disabled",
    ),
    Verdict(RECIPIENT, permanent=True, reason="bad-address"): (
        "rcpt: 550 #5.1.0 Address rejected.",
        "rcpt: 553 Not allowed",
    ),
    Verdict(RECIPIENT, permanent=True, reason="mailbox-moved"): (
        "rcpt: 551 Try elsewhere",
    ),
    # The mailbox is in trouble that passes.
    Verdict(RECIPIENT, permanent=False, reason="mailbox-full"): (
        "rcpt: 452 4.2.2 Full",
        "rcpt: 552 5.2.2 Over quota",
        "rcpt: 550 The mailbox of this user is full",
        "rcpt: 552",
    ),
    Verdict(RECIPIENT, permanent=False, reason="mailbox-disabled"): (
        "rcpt: 450 4.2.1 Receiving mail too quickly",
    ),
    Verdict(RECIPIENT, permanent=False, reason="mailbox-trouble"): (
        "rcpt: 450 Busy",
        "rcpt: 550 5.2.0 Something",
    ),
    Verdict(RECIPIENT, permanent=False, reason="no-such-mailbox"): (
        "rcpt: 450 5.1.1 User unknown",
        "rcpt: 550 4.1.1 User unknown",
    ),
    Verdict(RECIPIENT, permanent=False, reason="greylisted"): (
        "rcpt: 450 4.7.1 <a@b.c>: Recipient address rejected: Greylisted",
        "rcpt: 451 Graylisting in action",
    ),
    # It is about us: pause, suppress nobody.
    Verdict(POLICY, permanent=True, reason="policy"): (
        "rcpt: 550 5.7.1 User unknown",
        "dot: 550 5.7.26 Unauthenticated",
        "dot: 550 5.7.515 Access denied",
        "rcpt: 550 Blocked for spam",
        "rcpt: 550 5.1.0 192.0.2.1 is blacklisted",
        "rcpt: 554 5.2.1 Poor reputation",
        "rcpt: 554 Relay access denied",
        "rcpt: 554",
        "rcpt: 553 not in my list of allowed rcpthosts",
    ),
    Verdict(POLICY, permanent=False, reason="policy"): (
        "dot: 421 4.7.28 Unusual rate",
        "rcpt: 451 Sending rate exceeded",
        "rcpt: 452 4.3.2 Too many connections",
        "ehlo: 535 5.7.8 Bad credentials",
    ),
    Verdict(POLICY, permanent=False, reason="provider-policy"): (
        "mail: 421 4.7.0 [TSS04] Messages from 192.0.2.1 deferred",
        "connect: 550 Part of their network is on our block list (S3140).",
    ),
    Verdict(POLICY, permanent=True, reason="provider-policy"): (
        "rcpt: 553 5.1.1 [TS03] Permanently deferred",
        "dot: 550 SC-001 Unfortunately",
    ),
    Verdict(POLICY, permanent=True, reason="sender-refused"): (
        "mail: 550 5.1.8 Sender domain unknown",
        "mail: 550 5.1.0 Sender rejected",
        "mail: 550 User unknown",
        "mail: 550",
    ),
    Verdict(POLICY, permanent=False, reason="login-refused"): ("ehlo: 535",),
    Verdict(POLICY, permanent=True, reason="login-refused"): ("mail: 530",),
    # The way there: try again, blame nobody.
    Verdict(TRANSPORT, permanent=False, reason="server-closing"): (
        "dot: 421 Closing",
        "rcpt: 421 4.2.1 Later",
    ),
    Verdict(TRANSPORT, permanent=False, reason="system-trouble"): (
        "connect: 554 No service",
        "ehlo: 550",
        "mail: 451",
        "rcpt: 451 4.3.0 Local error",
        "rcpt: 451 4.3.2 user database unavailable",
        "mail: 452 4.3.1 Insufficient system storage",
        "dot: 452 Requested action not taken: insufficient system storage",
        "dot: 451",
    ),
    Verdict(TRANSPORT, permanent=False, reason="lost-thread"): (
        "data: 503",
        "mail: 503 5.5.1 Sender already given",
        "rcpt: 500 5.5.2 Unrecognised",
    ),
    Verdict(TRANSPORT, permanent=False, reason="routing"): (
        "rcpt: 451 4.4.3 Directory server failure",
    ),
    Verdict(TRANSPORT, permanent=True, reason="routing"): ("rcpt: 554 5.4.6 Loop",),
    # The letter itself.
    Verdict(MESSAGE, permanent=True, reason="too-large"): (
        "mail: 552 5.3.4 Too large",
        "dot: 552",
        "dot: 552 5.2.3 Longer than it takes",
        "dot: 554 Message size exceeds the limit",
    ),
    Verdict(MESSAGE, permanent=True, reason="content"): (
        "dot: 554 5.6.0 Malformed",
        "rcpt: 553 5.6.7 No SMTPUTF8",
        "dot: 554 Transaction failed",
    ),
    Verdict(MESSAGE, permanent=True, reason="protocol"): (
        "mail: 501 5.5.4 Bad parameters",
        "rcpt: 501 Syntax",
    ),
}


class TestParseReply:
    @pytest.mark.parametrize(
        ("code", "text", "reply"),
        [
            (250, "2.0.0 Ok", Reply(250, "2.0.0", "Ok")),
            (550, "5.1.1 No\n5.1.1 such user", Reply(550, "5.1.1", "No such user")),
            (550, "No\n5.1.1 such user", Reply(550, "5.1.1", "No such user")),
            (550, "#5.1.0 Address rejected.", Reply(550, "5.1.0", "Address rejected.")),
            (421, "[4.7.0] Later", Reply(421, "4.7.0", "Later")),
            (554, "Not 5.1.1 here", Reply(554, None, "Not 5.1.1 here")),
            (550, "", Reply(550, None, "")),
            (550, "a\x00b\x1b[1m\u2028c", Reply(550, None, "a b [1m c")),
            (550, "caf\udce9", Reply(550, None, "caf\ufffd")),
        ],
    )
    def test_reads_code_and_words(self, code: int, text: str, reply: Reply) -> None:
        assert parse_reply(code, text) == reply

    @given(st.text())
    def test_makes_any_words_one_printable_line(self, text: str) -> None:
        reply = parse_reply(550, text)

        assert reply.text.isprintable()
        assert len(reply.text) <= 1000

    def test_shows_as_the_server_wrote_it(self) -> None:
        assert str(parse_reply(550, "5.1.1 No such user")) == "550 5.1.1 No such user"
        assert str(parse_reply(550, "No")) == "550 No"


class TestJudge:
    @pytest.mark.parametrize(
        ("line", "verdict"),
        [(line, verdict) for verdict, lines in JUDGED.items() for line in lines],
    )
    def test_tells_whose_trouble_it_is(self, line: str, verdict: Verdict) -> None:
        stage, _, answer = line.partition(": ")
        code, _, text = answer.partition(" ")

        found = judge(parse_reply(int(code), text), stage=cast("Stage", stage))

        assert found == verdict

    @given(
        st.sampled_from(["connect", "ehlo", "mail", "rcpt", "data", "dot"]),
        st.integers(400, 599),
        st.integers(0, 999),
        st.text(),
    )
    def test_never_suppresses_for_policy(
        self, stage: Stage, code: int, detail: int, text: str
    ) -> None:
        reply = Reply(code, f"{code // 100}.7.{detail}", text)

        verdict = judge(reply, stage=stage)

        assert not (verdict.fault is RECIPIENT and verdict.permanent)

    @given(st.integers(400, 499), st.integers(0, 9), st.integers(0, 99), st.text())
    def test_never_gives_up_on_a_temporary_answer(
        self, code: int, subject: int, detail: int, text: str
    ) -> None:
        reply = Reply(code, f"5.{subject}.{detail}", text)

        assert not judge(reply, stage="rcpt").permanent

    def test_does_not_take_words_of_an_address_for_the_servers(self) -> None:
        reply = parse_reply(
            550, "<spam.blocked@list.example> does not exist: no such user"
        )

        assert judge(reply, stage="rcpt").fault is RECIPIENT
