"""`bench.inbound`, short: the listener survives what nobody would write."""

from pathlib import Path

from bench.inbound import read_messages, run
from tests.integration.inbound.writing import make_message

REPORT = (
    b"Return-Path: <>\r\nFrom: MAILER-DAEMON@host.example\r\nSubject: failed\r\n"
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
    b"--b\r\n\r\nIt failed.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
    b"Reporting-MTA: dns; host.example\r\n\r\n"
    b"Final-Recipient: rfc822; dina@reader.example\r\nAction: failed\r\n"
    b"Status: 5.1.1\r\n\r\n--b--\r\n"
)


def test_mutations_break_and_lose_nothing(tmp_path: Path) -> None:
    own = [REPORT, make_message(), make_message("نعم\n", author="dina@reader.example")]

    found = run(tmp_path, own, count=300, seed=7, connections=4)

    assert found.broken == []
    assert found.states["quarantined"] > 0


def test_real_messages_break_and_lose_nothing(tmp_path: Path, shared: Path) -> None:
    messages = read_messages(shared / "corpora" / "flanker" / "messages")

    found = run(tmp_path, messages, count=100, seed=7, connections=4)

    assert found.broken == []
    assert set(found.codes) <= {250, 554}
