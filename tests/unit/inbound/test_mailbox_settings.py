"""Settings of mailboxes that are read."""

from typing import Any

import pydantic
import pytest

from digest.settings.mailboxes import ImapSettings, MailboxSettings

ACCOUNT = {"host": "imap.example.com", "username": "digest", "password": "p"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": None}, "needs a username and a password"),
        ({"security": "none"}, "beyond this machine"),
        ({"done": "INBOX"}, "three folders"),
        ({"done": "Done\r\nx LOGOUT"}, "pattern"),
        ({"folder": "Eingänge"}, "pattern"),
    ],
)
def test_what_could_not_work_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=reason):
        ImapSettings.model_validate(ACCOUNT | changes)


def test_an_account_on_this_machine_may_do_without_tls() -> None:
    changes = {"host": "127.0.0.1", "security": "none"}

    assert ImapSettings.model_validate(ACCOUNT | changes).security == "none"


def test_a_variable_lists_fields_by_commas() -> None:
    found = MailboxSettings.model_validate({"recipient_fields": "X-Envelope-To, To"})

    assert found.recipient_fields == ["X-Envelope-To", "To"]
