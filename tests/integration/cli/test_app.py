"""What every command has in common: help, wrong usage, errors of the machine."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest

from digest.cli.app import make_app
from tests.conftest import Ran

Cli = Callable[..., Ran]


@pytest.mark.parametrize(
    "command", [["--help"], ["editions", "--help"], ["editions", "compose", "--help"]]
)
def test_every_help_names_the_shared_options(cli: Cli, command: list[str]) -> None:
    ran = cli(*command)

    assert ran.status == 0
    assert "--json, --debug and --config PATH" in ran.out


@pytest.mark.parametrize("command", [[], ["articles"]])
def test_a_group_without_a_command_shows_its_help(cli: Cli, command: list[str]) -> None:
    ran = cli(*command)

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("Usage: digest")
    assert "\nCommands:\n" in ran.err


def test_a_group_without_a_command_is_one_error_to_a_script(cli: Cli) -> None:
    ran = cli("articles", "--json")

    assert ran.document == {
        "error": "No command was given.",
        "mend": "See: digest articles --help",
    }


def test_wrong_usage_points_at_the_help_of_that_command(cli: Cli) -> None:
    ran = cli("editions", "show")

    assert ran.status == 2
    assert ran.err.endswith("See: digest editions show --help\n")


def test_a_wrong_choice_is_one_sentence_with_the_right_ones(cli: Cli) -> None:
    ran = cli("editions", "preview", "1", "--format", "pdf")

    assert ran.status == 2
    assert "Value error" not in ran.err
    assert "'pdf' is not one of 'html', 'text', 'eml'. See:" in ran.err


def test_an_error_of_the_file_system_has_a_mend(cli: Cli, tmp_path: Path) -> None:
    cli("init")

    ran = cli("subscribers", "import", str(tmp_path / "absent.csv"))

    assert ran.status == 1
    assert "No such file or directory. Check that path" in ran.err


@pytest.mark.parametrize(
    ("options", "out", "err"),
    [
        ([], "", "error: Interrupted.\n"),
        (["--json"], '{"error": "Interrupted.", "mend": ""}\n', ""),
    ],
)
def test_ctrl_c_ends_a_command_in_one_line(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, options: list[str], out: str, err: str
) -> None:
    def press(_octets: int) -> NoReturn:
        raise KeyboardInterrupt

    cli("init")
    stdin = SimpleNamespace(buffer=SimpleNamespace(read=press))
    monkeypatch.setattr("sys.stdin", stdin)

    ran = cli("articles", "import", "-", *options)

    assert (ran.status, ran.out, ran.err) == (130, out, err)


def test_a_tree_that_is_built_again_has_each_command_once() -> None:
    def count() -> int:
        groups = make_app().registered_groups
        trees = [group.typer_instance for group in groups]
        return sum(len(tree.registered_commands) for tree in trees if tree)

    assert count() == count()
