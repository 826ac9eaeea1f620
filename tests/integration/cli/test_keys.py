"""`keys list` and `keys rotate`."""

from collections.abc import Callable

from tests.conftest import Ran

Cli = Callable[..., Ran]


def test_a_rotation_is_listed_and_noted(installed: Cli) -> None:

    made = installed("keys", "rotate", "--json").document
    listed = installed("keys", "list", "--json").document

    assert (made["id"], made["current"]) == (2, True)
    assert [(key["id"], key["current"]) for key in listed["items"]] == [
        (1, False),
        (2, True),
    ]
    assert made["file"].endswith("home/keys/token-2.key")


def test_people_are_told_what_to_do_next(installed: Cli) -> None:

    told = installed("keys", "rotate").out
    listed = installed("keys", "list").out

    assert "before any is restarted" in told
    assert listed.splitlines()[-1].endswith("token-2.key  signs")


def test_a_page_of_the_list_names_the_next_one(installed: Cli) -> None:
    installed("keys", "rotate")

    first = installed("keys", "list", "--limit", "1", "--json").document
    rest = installed("keys", "list", "--after", str(first["next"]), "--json").document

    assert [key["id"] for key in first["items"] + rest["items"]] == [1, 2]
    assert rest["next"] is None


def test_without_an_installation_there_is_none(cli: Cli) -> None:
    ran = cli("keys", "list")

    assert ran.status == 1
    assert "digest init" in ran.err
