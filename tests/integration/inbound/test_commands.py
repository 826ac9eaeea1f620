"""Signing up, confirming and leaving by mail."""

from dataclasses import replace

import pytest

from digest.bootstrap import Service
from digest.domain.actor import READER
from digest.domain.addresses import parse_address
from digest.domain.subscribers import Origin
from digest.domain.tokens import Purpose
from digest.settings.signing_up import SignUpSettings
from digest.subscriptions import leave, suppressing
from tests.builders import SECRETS, add_newsletter
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


def test_a_message_to_subscribe_asks_its_author_to_confirm(service: Service) -> None:
    reply = send(service, "subscribe")

    assert reply == "250 2.0.0 Kept"
    assert letters(service) == [f"confirmation {ALICE}"]
    assert states(service) == ["pending"]


def test_the_tag_of_subscribe_names_the_newsletter(service: Service) -> None:
    arabic = add_newsletter(
        service.db, slug="weekly-ar", language="ar", list_id="ar.news.example.test"
    )

    send(service, "subscribe+weekly-ar")

    assert [row.newsletter_id for row in rows(service, "subscriptions")] == [arabic.id]


def test_an_unknown_newsletter_is_explained(service: Service) -> None:
    send(service, "subscribe+nothing")

    assert letters(service) == [f"answer {ALICE}"]
    assert states(service) == []


@pytest.mark.parametrize("words", ["yes", "", "Sure, thanks!", "نعم", "> no\nYes"])
def test_an_answer_to_the_confirmation_confirms(service: Service, words: str) -> None:
    token = ask(service)

    send(service, f"confirm+{token.upper()}", make_message(words))

    assert states(service) == ["active"]
    assert letters(service)[-1] == f"welcome {ALICE}"


@pytest.mark.parametrize("words", ["no", "Not me!", "لا", "stop", "لست أنا"])
def test_an_answer_that_says_no_declines(service: Service, words: str) -> None:
    token = ask(service)

    send(service, f"confirm+{token}", make_message(words))

    assert states(service) == ["unsubscribed"]
    assert verdict(service) == ("done", "confirmation", "Declined.")


def test_a_second_answer_changes_nothing(service: Service) -> None:
    token = ask(service)
    send(service, f"confirm+{token}")

    send(service, f"confirm+{token}")

    assert verdict(service) == ("done", "confirmation", "Confirmation: already.")
    assert len(letters(service)) == 2


def test_an_answer_that_comes_too_late_is_asked_again(service: Service) -> None:
    token = ask(service)

    send(later(service, days=8), f"confirm+{token}")

    assert states(service) == ["pending"]
    assert letters(service) == [f"confirmation {ALICE}"] * 2


@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.PREFERENCES])
def test_a_token_of_another_purpose_confirms_nothing(
    service: Service, purpose: Purpose
) -> None:
    ask(service)
    token = SECRETS.tokens.issue(purpose, 1)

    send(service, f"confirm+{token}")

    assert states(service) == ["pending"]
    assert verdict(service)[0] == "quarantined"


def test_an_erased_readers_token_is_answered_alike(service: Service) -> None:
    token = SECRETS.tokens.issue(Purpose.UNSUBSCRIBE, 77)

    reply = send(service, f"unsubscribe+{token}")

    assert reply == "250 2.0.0 Kept"
    assert verdict(service)[2] == "There was nothing to leave any more."


def test_the_mailto_of_list_unsubscribe_leaves_at_once(service: Service) -> None:
    token = add_reader(service)

    # The null sender, and whatever the mail program writes: the token says all.
    send(service, f"UNSUBSCRIBE+{token}", make_message(Precedence="bulk"), sender="")

    assert states(service) == ["unsubscribed"]


def test_leaving_twice_is_one_leave(service: Service) -> None:
    token = add_reader(service)
    send(service, f"unsubscribe+{token}")

    send(service, f"unsubscribe+{token}")

    actions = [row.action for row in rows(service, "consents")]
    assert actions == ["recorded", "withdrawn"]


def test_a_plain_unsubscribe_changes_nothing_but_mails_the_link(
    service: Service,
) -> None:
    token = add_reader(service)

    send(service, "unsubscribe", sender="stranger@example.net")

    assert states(service) == ["active"]
    (letter,) = rows(service, "notices")
    assert letter.address == ALICE
    assert service.site.unsubscribe_url(token) in letter.text


def test_the_link_that_was_mailed_leaves(service: Service) -> None:
    add_reader(service)
    send(service, "unsubscribe")
    (letter,) = rows(service, "notices")
    (url,) = (line for line in letter.text.split() if "/u/" in line)

    leave.by_token(
        service.db,
        token=url.rpartition("/")[2],
        origin=Origin(source="a test"),
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )

    assert states(service) == ["unsubscribed"]


def test_one_who_gets_nothing_is_told_so(service: Service) -> None:
    send(service, "unsubscribe")

    (letter,) = rows(service, "notices")
    assert letter.address == ALICE
    assert "None of our letters goes to this address" in letter.text


@pytest.mark.parametrize("is_reader", [True, False])
def test_who_writes_in_anothers_name_learns_nothing_of_them(
    service: Service, *, is_reader: bool
) -> None:
    if is_reader:
        add_reader(service)

    send(service, "unsubscribe", sender="stranger@example.net")
    send(service, "subscribe", make_message("stop"), sender="stranger@example.net")

    assert [row.address for row in rows(service, "notices")] == [ALICE] * is_reader


def test_mail_keeps_to_what_the_operator_allows(service: Service) -> None:
    strict = with_rules(service, per_mailbox=1)

    for name in ("alice+1", "alice+2"):
        send(strict, "subscribe", make_message(author=f"{name}@example.org"))

    assert len(letters(service)) == 1


def test_sign_ups_by_mail_leave_room_for_those_by_page(service: Service) -> None:
    strict = with_rules(service, altogether=4)

    for number in range(5):
        send(strict, "subscribe", make_message(author=f"reader{number}@example.org"))

    assert len(letters(service)) == 2


@pytest.mark.parametrize(
    ("sender", "asked"), [("stranger@example.net", 1), (ALICE.upper(), 2)]
)
def test_never_write_holds_against_who_only_writes_the_name(
    service: Service, sender: str, asked: int
) -> None:
    token = ask(service)
    send(service, f"confirm+{token}", make_message("Not me!"))

    send(later(service, days=2), "subscribe", sender=sender)

    assert letters(service) == [f"confirmation {ALICE}"] * asked


def with_rules(service: Service, **rules: int) -> Service:
    settings = service.settings.model_copy(
        update={"sign_up": SignUpSettings.model_validate(rules)}
    )
    return replace(service, settings=settings)


def test_an_inbox_is_answered_once_whatever_it_is_called(service: Service) -> None:
    for name in ("ali.ce", "alice+1", "alice+2", "a.lice+3"):
        address = f"{name}@example.org"
        send(service, "subscribe", make_message("help"), sender=address)
        send(service, "unsubscribe", make_message(author=address), sender=address)

    assert len(letters(service)) == 1


@pytest.mark.parametrize("words", ["unsubscribe", "STOP", "إلغاء الاشتراك"])
def test_leaving_by_words_to_the_other_address(service: Service, words: str) -> None:
    add_reader(service)

    send(service, "subscribe", make_message(words))

    assert verdict(service)[2] == "Mailed the way out."


@pytest.mark.parametrize("words", ["help", "مساعدة"])
@pytest.mark.parametrize("address", ["subscribe", "unsubscribe"])
def test_help_is_explained(service: Service, words: str, address: str) -> None:
    send(service, address, make_message(Subject=words))

    (letter,) = rows(service, "notices")
    assert f"subscribe+weekly@{DOMAIN}" in letter.text


def test_an_answer_is_from_the_null_sender_and_names_what_it_answers(
    service: Service,
) -> None:
    send(service, "unsubscribe", make_message(Message_ID="<q.1@example.org>"))

    (letter,) = rows(service, "notices")
    assert letter.headers == {
        "Auto-Submitted": "auto-replied",
        "X-Loop": DOMAIN,
        "In-Reply-To": "<q.1@example.org>",
        "References": "<q.1@example.org>",
    }


@pytest.mark.parametrize(
    "message_id", ["<a b@c>", "<a@b>\r\n x", "none", "<>", "<é@b>"]
)
def test_an_id_that_cannot_be_repeated_is_left_out(
    service: Service, message_id: str
) -> None:
    send(service, "unsubscribe", make_message(Message_ID=message_id))

    (letter,) = rows(service, "notices")
    assert "In-Reply-To" not in letter.headers


def test_no_word_of_the_stranger_is_in_an_answer(service: Service) -> None:
    raw = make_message(
        "help BUY-PILLS", Subject="BUY-PILLS", author=f"BUY-PILLS <{ALICE}>"
    )

    send(service, "subscribe", raw)

    (letter,) = rows(service, "notices")
    assert "PILLS" not in f"{letter.subject}{letter.text}{letter.html}{letter.headers}"


def test_an_address_is_answered_once_a_day(service: Service) -> None:
    add_reader(service)
    send(service, "unsubscribe")
    send(service, "unsubscribe")
    send(later(service, hours=23), "subscribe", make_message("help"))

    assert len(letters(service)) == 1
    send(later(service, hours=25), "unsubscribe")
    assert len(letters(service)) == 2


def test_help_is_given_once_a_week(service: Service) -> None:
    for days in (0, 2, 6.5, 7.5):
        send(later(service, days=days), "subscribe", make_message("help"))

    assert len(letters(service)) == 2


def test_one_who_must_not_be_written_to_is_not_answered(service: Service) -> None:

    suppressing.suppress(
        service.db,
        address=parse_address(ALICE),
        because="complained",
        secrets=service.secrets,
        actor=READER,
        now=service.now(),
    )

    send(service, "unsubscribe")
    send(service, "subscribe")

    assert letters(service) == []
