"""`inbound` and `quarantine`: what an operator does with messages."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ran

Cli = Callable[..., Ran]
RAW = b"From: alice@example.org\r\nSubject: \x1b[2Jhi\r\n\r\nI complain.\r\n"
DOMAIN = "news.example.test"


@pytest.fixture
def home(installed: Cli) -> Cli:
    return installed


@pytest.fixture
def message(tmp_path: Path) -> str:
    path = tmp_path / "message.eml"
    path.write_bytes(RAW)
    return str(path)


def test_a_stored_message_is_taken_and_acted_upon(home: Cli, message: str) -> None:
    ran = home(
        *("inbound", message, "--rcpt", f"subscribe@{DOMAIN}", "--json"),
        *("--sender", "alice@example.org"),
    )

    (item,) = ran.document["items"]
    assert (item["code"], item["state"], item["kind"]) == (250, "done", "command")
    assert item["why"] == "Sign-up: mailed."


def test_people_read_what_became_of_it(home: Cli, message: str) -> None:
    ran = home(
        "inbound", message, "--rcpt", f"abuse@{DOMAIN}", "--sender", "a@b.example"
    )

    assert ran.out == (f"{message}: 250 2.0.0 Kept (other: The operator was told.)\n")


def test_an_address_that_is_not_ours_is_an_error(home: Cli, message: str) -> None:
    ran = home("inbound", message, "--rcpt", "x@example.org")

    assert ran.status == 1
    assert "550 5.1.1" in ran.err


def test_the_quarantine_is_listed_shown_and_exported(
    home: Cli, message: str, tmp_path: Path
) -> None:
    home("inbound", message, message, "--rcpt", f"complaints@{DOMAIN}")

    listed = home("quarantine", "list", "--limit", "1", "--json").document
    shown = home("quarantine", "show", "1", "--json").document
    home("quarantine", "export", "1", str(tmp_path / "out.eml"))

    assert listed["next"] == 1
    assert listed["items"][0]["recipient"] == f"complaints@{DOMAIN}"
    assert shown["raw"] == RAW.decode().replace("\r\n", "\n")
    assert (tmp_path / "out.eml").read_bytes() == RAW


def test_what_is_shown_cannot_steer_a_terminal(home: Cli, message: str) -> None:
    home("inbound", message, "--rcpt", f"complaints@{DOMAIN}")

    assert "\x1b" not in home("quarantine", "show", "1").out


def test_the_list_can_be_of_one_kind(home: Cli, message: str) -> None:
    home("inbound", message, "--rcpt", f"complaints@{DOMAIN}")

    found = home("quarantine", "list", "--kind", "bounce")

    assert found.out == "The quarantine is empty.\n"


def test_a_file_that_is_there_is_not_overwritten(home: Cli, message: str) -> None:
    home("inbound", message, "--rcpt", f"complaints@{DOMAIN}")

    assert home("quarantine", "export", "1", message).status == 1


def test_messages_are_deleted_by_number_or_age(home: Cli, message: str) -> None:
    home("inbound", message, message, message, "--rcpt", f"complaints@{DOMAIN}")

    one = home("quarantine", "delete", "2", "--json").document
    none = home("quarantine", "delete", "--older-than", "1", "--json").document
    rest = home("quarantine", "delete", "--older-than", "0", "--json").document

    assert [one, none, rest] == [{"deleted": [2]}, {"deleted": []}, {"deleted": [1, 3]}]


@pytest.mark.parametrize("more", [[], ["1", "--older-than", "3"]])
def test_deleting_needs_one_or_the_other(home: Cli, more: list[str]) -> None:
    assert home("quarantine", "delete", *more).status == 2


@pytest.mark.parametrize("command", [["show", "9"], ["export", "9", "x"]])
def test_a_number_nobody_has_is_named(home: Cli, command: list[str]) -> None:
    ran = home("quarantine", *command)

    assert (ran.status, "There is no message 9." in ran.err) == (1, True)
