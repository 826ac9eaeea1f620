"""Robots, loops, reports and what an operator reads: who is never answered."""

import pytest

from digest.bootstrap import Service
from digest.domain.tokens import Purpose
from tests.builders import SECRETS
from tests.integration.inbound.writing import (
    ALICE,
    DOMAIN,
    add_reader,
    ask,
    later,
    letters,
    make_message,
    rows,
    send,
    states,
    verdict,
)

pytestmark = pytest.mark.usefixtures("weekly")

ROBOTS = {
    "auto-replied": {"Auto_Submitted": "auto-replied"},
    "auto-generated": {"Auto_Submitted": "Auto-Generated (rejected)"},
    "vacation": {"Auto_Submitted": "auto-replied; vacation"},
    "bulk": {"Precedence": "bulk"},
    "junk": {"Precedence": "Junk"},
    "list": {"Precedence": "list"},
    "list-id": {"List_Id": "<talk.example.org>"},
    "exchange": {"X_Auto_Response_Suppress": "All"},
    "subject": {"Subject": "Automatic reply: confirm"},
    "arabic subject": {"Subject": "رد تلقائي: تأكيد"},
    "daemon": {"author": "MAILER-DAEMON@example.org"},
    "report": {"Content_Type": "multipart/report; boundary=x"},
}
ARF = (
    b"From: fbl@example.org\r\nContent-Type: multipart/report; "
    b'report-type=feedback-report; boundary="b"\r\n\r\n--b\r\n\r\nSpam.\r\n--b\r\n'
    b"Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n--b--\r\n"
)
DSN = (
    b"From: MAILER-DAEMON@example.org\r\nContent-Type: multipart/report; "
    b'report-type=delivery-status; boundary="b"\r\n\r\n--b\r\n\r\nNo.\r\n--b\r\n'
    b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
    b"Final-Recipient: rfc822; alice@example.org\r\nAction: failed\r\n"
    b"Status: 5.1.1\r\n--b--\r\n"
)


@pytest.mark.parametrize("fields", ROBOTS.values(), ids=ROBOTS)
@pytest.mark.parametrize("address", ["confirm", "subscribe", "unsubscribe"])
def test_a_robot_is_neither_obeyed_nor_answered(
    service: Service, fields: dict[str, str], address: str
) -> None:
    token = ask(service)
    to = f"confirm+{token}" if address == "confirm" else address

    send(service, to, make_message(**fields))

    assert states(service) == ["pending"]
    assert letters(service) == [f"confirmation {ALICE}"]


@pytest.mark.parametrize(
    "sender",
    ["", "mailer-daemon@example.org", "owner-talk@example.org", "x-request@e.example"],
)
@pytest.mark.parametrize("address", ["confirm", "subscribe", "unsubscribe"])
def test_no_answer_goes_to_the_null_sender_or_a_daemon(
    service: Service, sender: str, address: str
) -> None:
    token = ask(service)
    to = f"confirm+{token}" if address == "confirm" else address

    send(service, to, sender=sender)

    assert states(service) == ["pending"]
    assert letters(service) == [f"confirmation {ALICE}"]


def test_a_person_who_says_no_to_automation_is_believed(service: Service) -> None:
    token = ask(service)

    send(service, f"confirm+{token}", make_message(Auto_Submitted="no"))

    assert states(service) == ["active"]


@pytest.mark.parametrize(
    "raw",
    [
        make_message(X_Loop=DOMAIN),
        b"Received: x\r\n" * 100 + make_message(),
        make_message(List_Id=f'"The Week" <weekly.{DOMAIN}>'),
        make_message(author=f"subscribe@{DOMAIN}"),
    ],
    ids=["our answer", "a hundred hops", "our letter", "our domain"],
)
@pytest.mark.parametrize("to", ["subscribe", "unsubscribe", "postmaster"])
def test_a_loop_ends(service: Service, raw: bytes, to: str) -> None:
    send(service, to, raw, sender=f"subscribe@{DOMAIN}")

    assert [each for each in letters(service) if "forward" not in each] == []
    assert states(service) == []


def test_two_installations_do_not_answer_each_other_for_ever(service: Service) -> None:
    send(service, "subscribe", make_message("help"))
    (letter,) = rows(service, "notices")
    echo = make_message(letter.text, **letter.headers)

    for day in range(30):
        send(later(service, days=day), "subscribe", echo)

    assert len(letters(service)) == 1


@pytest.mark.parametrize(
    ("raw", "kind"), [(DSN, "bounce"), (ARF, "complaint"), (make_message(), "other")]
)
def test_reports_are_kept_whole_and_change_nothing(
    service: Service, raw: bytes, kind: str
) -> None:
    add_reader(service)
    token = SECRETS.tokens.issue(Purpose.DELIVERY, 1)

    send(service, f"bounces+{token}", raw, sender="")

    (kept,) = rows(service, "inbox")
    expected = kind if kind != "other" else "auto-reply"
    assert (kept.state, kept.kind) == ("quarantined", expected)
    assert [row.raw for row in rows(service, "inbox_raw")] == [raw]
    assert states(service) == ["active"]


def test_a_complaint_is_kept_whole(service: Service) -> None:
    send(service, "complaints", ARF, sender="fbl@example.org")

    assert verdict(service)[:2] == ("quarantined", "complaint")


def test_forged_reports_change_nothing(service: Service) -> None:
    add_reader(service)

    for row in range(200):
        forged = SECRETS.tokens.issue(Purpose.UNSUBSCRIBE, row)
        send(service, f"bounces+{forged}", DSN, sender="")

    assert states(service) == ["active"]
    assert {row.why for row in rows(service, "inbox")} == {"Its token is none of ours."}


def test_an_absence_note_to_a_letters_sender_needs_nobody(service: Service) -> None:
    token = SECRETS.tokens.issue(Purpose.DELIVERY, 1)

    send(service, f"bounces+{token}", make_message(Auto_Submitted="auto-replied"))

    assert verdict(service)[:2] == ("done", "auto-reply")


@pytest.mark.parametrize("name", ["postmaster", "abuse"])
def test_the_operator_is_told(service: Service, name: str) -> None:
    send(service, name, make_message("You are on a list.", Subject="Listed"))

    (letter,) = rows(service, "notices")
    assert (letter.kind, letter.address) == ("forward", "editor@news.example.test")
    assert "> You are on a list." in letter.text
    assert verdict(service)[0] == "quarantined"


def test_what_an_operator_reads_cannot_steer_a_screen(service: Service) -> None:
    send(
        service, "abuse", make_message("\x1b[2J\u202eevil\x00", Subject="\x1b]0;x\x07")
    )

    (letter,) = rows(service, "notices")
    assert not {"\x1b", "\u202e", "\x00", "\x07"} & set(letter.text + letter.html)


def test_an_operator_is_told_so_often_a_day_and_no_more(service: Service) -> None:
    for _ in range(40):
        send(service, "abuse")

    assert len(letters(service)) == 24
    assert len(rows(service, "inbox")) == 40


@pytest.mark.parametrize(
    "author",
    [
        "a@example.org, b@example.org",
        "<a@example.org> <b@example.org>",
        '"a@example.org" b',
        "a@example.org\r\nFrom: b@example.org",
        "",
        "a@b@example.org",
        "undisclosed:;",
        "=?utf-8?q?a=40example.org?=",
    ],
)
def test_an_author_in_doubt_is_nobody(service: Service, author: str) -> None:
    send(service, "subscribe", make_message(author=author))

    assert states(service) == []
    assert verdict(service)[0] == "quarantined"
