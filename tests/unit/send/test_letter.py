"""One letter: the header interface.md promises, one reader's values, the same bytes."""

import email
import email.policy
from dataclasses import replace
from datetime import date
from email.message import EmailMessage
from typing import Any

import dkim
import pytest

from digest.domain.deliveries import Delivery, Imprint, Lease, LetterKind, Notice
from digest.domain.editions import Variant
from digest.domain.errors import DigestError
from digest.domain.states import DeliveryState
from digest.domain.tokens import Purpose
from digest.mail.dkim import Signer, dns_record, generate_key
from digest.mail.smtp import Envelope
from digest.send.header import OWN_HEADER
from digest.send.letter import EditionLetters, check_letters
from digest.send.notice_letter import NoticeLetters
from tests.builders import NOW, SECRETS, SITE
from tests.posting import TEXT, make_notice

IMPRINT = Imprint(
    edition_id=3,
    kind="weekly",
    issue_date="2024-05-12",
    newsletter="weekly",
    name="The Week",
    from_name="The Week",
    from_address="weekly@news.example.test",
    reply_to="editor@news.example.test",
    list_id="weekly.news.example.test",
    language="en",
    digits="latn",
    base_url=SITE.base_url,
    mail_domain=SITE.mail_domain,
)
VARIANT = Variant(
    id=5,
    edition_id=3,
    sections="",
    format="html",
    subject="Egypt refuses Rafah coordination: reports",
    html=f"<p>{TEXT}</p>",
    text=TEXT,
)
DELIVERY = Delivery(
    id=11,
    edition_id=3,
    subscription_id=7,
    variant_id=5,
    address="alice@example.com",
    confirmed_on=date(2024, 5, 1),
    key_id=1,
    state=DeliveryState.QUEUED,
    attempts=0,
    refusals=0,
    first_attempt_at=None,
    dated_at=None,
)
ONCE = [
    *("From", "Reply-To", "To", "Subject", "Date", "Message-ID", "List-Id"),
    *("List-Unsubscribe", "List-Unsubscribe-Post", "List-Archive", "List-Help"),
    *("List-Post", "Feedback-ID", "Precedence", "Content-Language", "MIME-Version"),
    OWN_HEADER,
]


def write(
    *,
    imprint: Imprint = IMPRINT,
    variant: Variant = VARIANT,
    delivery: Delivery = DELIVERY,
    signer: Signer | None = None,
) -> Envelope:
    letters = EditionLetters(imprint, [variant], secrets=SECRETS, signer=signer)
    return letters.write(delivery, dated_at=NOW)


def read(envelope: Envelope) -> EmailMessage:
    found = email.message_from_bytes(envelope.message, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def write_notice(**changes: Any) -> Envelope:
    lease = Lease(kind=LetterKind.NOTICE, row_id=9, fence=1)
    notice = Notice(
        **vars(make_notice(**changes)),
        id=9,
        lease=lease,
        attempts=0,
        refusals=0,
        first_attempt_at=None,
        dated_at=None,
    )
    letters = NoticeLetters(site=SITE, secrets=SECRETS, signer=None)
    return letters.write(notice, dated_at=NOW)


@pytest.mark.parametrize("name", ONCE)
def test_carries_each_promised_field_once(name: str) -> None:
    message = read(write())

    assert len(message.get_all(name, [])) == 1


def test_unsubscribes_by_https_first_then_mail() -> None:
    token = SECRETS.tokens.issue(Purpose.UNSUBSCRIBE, 7)

    message = read(write())

    assert message["List-Unsubscribe"] == (
        f"<https://news.example.test/u/{token}>, "
        f"<mailto:unsubscribe+{token}@news.example.test>"
    )
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Post"] == "NO"


def test_keeps_a_long_unsubscribe_address_whole() -> None:
    base_url = "https://news.example.test/" + "a" * 150

    raw = write(imprint=replace(IMPRINT, base_url=base_url)).message

    token = SECRETS.tokens.issue(Purpose.UNSUBSCRIBE, 7)
    assert f"<{base_url}/u/{token}>".encode() in raw


def test_envelope_sender_and_own_header_carry_the_delivery() -> None:
    token = SECRETS.tokens.issue(Purpose.DELIVERY, 11)

    envelope = write()

    assert envelope.sender == f"bounces+{token}@news.example.test"
    assert read(envelope)[OWN_HEADER] == token
    assert envelope.recipient == "alice@example.com"


def test_both_parts_hold_the_readers_values() -> None:
    message = read(write())

    text = message.get_body(("plain",))
    html = message.get_body(("html",))
    leave = SECRETS.tokens.issue(Purpose.UNSUBSCRIBE, 7)
    assert text is not None
    assert html is not None
    for part in (text.get_content(), html.get_content()):
        assert "alice@example.com" in part
        assert "Wednesday 1 May 2024" in part
        assert leave in part


def test_a_text_reader_gets_plain_text_alone() -> None:
    message = read(write(variant=replace(VARIANT, html=None, format="text")))

    assert message.get_content_type() == "text/plain"


def test_feedback_id_has_four_fields_and_nothing_personal() -> None:
    first = read(write())["Feedback-ID"]
    second = read(write(delivery=replace(DELIVERY, id=12)))["Feedback-ID"]

    assert first.count(":") == 3
    assert first == second


def test_message_id_names_the_delivery_alone() -> None:
    first = read(write())["Message-ID"]
    other = read(write(delivery=replace(DELIVERY, id=12)))["Message-ID"]
    later = read(write(delivery=replace(DELIVERY, attempts=3)))["Message-ID"]

    assert first == later
    assert first != other
    assert first.endswith("@news.example.test>")


def test_the_same_row_gives_the_same_signed_bytes() -> None:
    signer = Signer(SITE.mail_domain, "s1", generate_key())

    assert write(signer=signer) == write(signer=signer)


def test_the_signature_stands_first_and_holds() -> None:
    key = generate_key()
    record = dns_record(key, domain=SITE.mail_domain, selector="s1").value

    message = write(signer=Signer(SITE.mail_domain, "s1", key)).message

    assert message.startswith(b"DKIM-Signature:")
    assert dkim.verify(message, dnsfunc=lambda *_args, **_more: record.encode())


def test_an_arabic_newsletter_has_encoded_names_and_its_own_dates() -> None:
    imprint = replace(
        IMPRINT, name="الأسبوع", from_name="الأسبوع", language="ar", digits="arab"
    )

    envelope = write(imprint=imprint)

    message = read(envelope)
    assert b"List-Id: =?utf-8?" in envelope.message
    assert message["From"].addresses[0].display_name == "الأسبوع"
    assert "<weekly.news.example.test>" in message["List-Id"]
    text = message.get_body(("plain",))
    assert text is not None
    assert "٢٠٢٤" in text.get_content()


def test_refuses_an_address_that_would_add_a_field() -> None:
    bad = replace(DELIVERY, address="a@example.com\r\nBcc: b@example.com")

    with pytest.raises(DigestError):
        write(delivery=bad)


def test_a_release_is_refused_where_a_part_is_empty() -> None:
    with pytest.raises(DigestError):
        check_letters(IMPRINT, [replace(VARIANT, text="")])


def test_a_confirmation_has_no_list_field() -> None:
    message = read(write_notice())

    assert [name for name in message if name.startswith("List-")] == []
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Feedback-ID"] is None


def test_a_welcome_has_all_list_fields() -> None:
    headers = {
        "List-Id": '"الأسبوع" <weekly.news.example.test>',
        "List-Unsubscribe": "<https://news.example.test/u/x>",
        "Precedence": "list",
    }

    message = read(write_notice(headers=headers, html="<p>Hello</p>"))

    assert message["List-Id"].endswith("<weekly.news.example.test>")
    assert message["Feedback-ID"].count(":") == 3
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"
