"""Answers as they leave: the null sender, and what keeps robots from answering."""

from dataclasses import replace
from email.message import EmailMessage

import pytest

from digest.bootstrap import Service
from digest.domain.own_mail import MessageKind, Post
from digest.domain.tokens import Purpose
from digest.feedback.reading import read
from digest.send.worker import drain
from tests.builders import NOW, SECRETS, add_newsletter
from tests.integration.inbound.writing import (
    ALICE,
    DOMAIN,
    add_reader,
    ask,
    letters,
    make_message,
    rows,
    send,
    states,
)
from tests.posting import Inbox, make_post


async def posted(service: Service) -> tuple[Inbox, list[EmailMessage]]:
    """Carry what is in the queue; returns what a server took."""
    inbox = Inbox()
    async with inbox.sink() as sink:
        await drain(make_post(service.db, sink.port), clock=lambda: NOW)
    return inbox, list(inbox.messages())


@pytest.mark.usefixtures("weekly")
@pytest.mark.parametrize("text", ["help", ""])
async def test_an_answer_leaves_from_the_null_sender(
    service: Service, text: str
) -> None:
    add_reader(service)
    send(service, "unsubscribe", make_message(text, Message_ID="<q@example.org>"))

    inbox, (letter,) = await posted(service)

    assert [(each.sender, each.recipients) for each in inbox.received] == [
        ("", (ALICE,))
    ]
    assert letter["Auto-Submitted"] == "auto-replied"
    assert letter["In-Reply-To"] == letter["References"] == "<q@example.org>"
    assert not [name for name in letter if name.startswith("List-")]


@pytest.mark.usefixtures("weekly")
@pytest.mark.parametrize("post", Post)
async def test_no_robot_of_ours_answers_our_answers(
    service: Service, post: Post
) -> None:
    send(service, "subscribe", make_message("help"))
    inbox, _ = await posted(service)

    reading = read(
        inbox.received[0].message,
        sender="elsewhere@example.org",
        post=post,
        mail_domain=DOMAIN,
    )

    assert (reading.kind, reading.is_loop) == (MessageKind.AUTO_REPLY, True)


@pytest.mark.usefixtures("weekly")
async def test_a_long_message_id_comes_back_in_one_piece(service: Service) -> None:
    message_id = f"<{'x' * 180}@example.org>"
    send(service, "subscribe", make_message("help", Message_ID=message_id))

    _, (letter,) = await posted(service)

    assert letter["In-Reply-To"] == message_id


@pytest.mark.usefixtures("weekly")
async def test_the_whole_way_by_mail(service: Service) -> None:
    send(service, "subscribe")
    _, (confirmation,) = await posted(service)
    to = confirmation["Reply-To"].addresses[0].username
    send(service, to, make_message("Yes", Subject=f"Re: {confirmation['Subject']}"))
    _, (welcome,) = await posted(service)
    leave = welcome["List-Unsubscribe"].partition("mailto:")[2].partition("@")[0]

    send(service, leave)

    assert states(service) == ["unsubscribed"]


async def test_an_arabic_reader_is_answered_in_arabic(service: Service) -> None:
    add_newsletter(
        service.db, language="ar", direction="rtl", name="الأسبوع", slug="weekly"
    )
    token = add_reader(service)

    send(service, "unsubscribe", make_message(Subject="إلغاء الاشتراك"))

    (letter,) = rows(service, "notices")
    assert "لم يتغير شيء بعد" in letter.text
    assert service.site.unsubscribe_url(token) in letter.text
    assert 'dir="rtl"' in letter.html


@pytest.mark.usefixtures("weekly")
async def test_the_operators_letter_bounces_to_us(service: Service) -> None:
    send(service, "abuse", make_message("Listed."))

    inbox, _ = await posted(service)

    name, _, token = inbox.received[0].sender.partition("@")[0].partition("+")
    assert name == "bounces"
    assert SECRETS.tokens.read(Purpose.NOTICE, token, now=NOW) is not None


@pytest.mark.usefixtures("weekly")
@pytest.mark.parametrize("takes_mail", [True, False])
def test_a_confirmation_asks_for_a_reply_where_mail_comes_in(
    service: Service, *, takes_mail: bool
) -> None:
    ask(replace(service, site=replace(service.site, takes_mail=takes_mail)))

    (letter,) = rows(service, "notices")
    for part in (letter.text, letter.html):
        assert ("Or just reply to this letter." in part) is takes_mail


@pytest.mark.usefixtures("weekly")
async def test_a_vacation_robot_at_a_readers_address_ends_there(
    service: Service,
) -> None:
    token = ask(service)
    robot = make_message("I am away.", Auto_Submitted="auto-replied")

    for _ in range(5):
        send(service, f"confirm+{token}", robot)
        send(service, "subscribe", robot)

    assert letters(service) == [f"confirmation {ALICE}"]
