"""The command tree, and the one place where errors become a line and a status."""

import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import typer
from typer.exceptions import Abort, TyperException

from digest.cli import logs
from digest.cli.face import Face
from digest.domain.errors import DigestError, UsageError
from digest.storage.engine import TROUBLE, explain_trouble

_INTERRUPTED = 130  # 128 + SIGINT, as shells count

_SHARED = "Every command takes --json, --debug and --config PATH."

# Command or group → the modules of this package that add it. Only what is asked for is
# loaded: loading all of them takes longer than most commands do.
_MODULES = {
    "init": ["setup"],
    "config": ["setup"],
    "db": ["setup"],
    "newsletters": ["newsletters"],
    "articles": ["articles"],
    "sources": ["sources"],
    "editions": ["editions"],
    "subscribers": ["subscribers"],
    "opinions": ["opinions"],
    "deliveries": ["deliveries"],
    "worker": ["worker"],
    "adopt": ["adopt"],
    "serve": ["serve"],
    "inbound": ["inbound"],
    "quarantine": ["inbound"],
    "schedules": ["schedules"],
    "dkim": ["dkim"],
    "keys": ["keys"],
    "doctor": ["doctor"],
    "mail": ["mail"],
    "demo": ["demo"],
    "bench": ["bench"],
}


def make_app(command: str | None = None) -> typer.Typer:
    """Build the command tree.

    Args:
        command: The first word of the command line; where it is known, only its
            part of the tree is built.
    """
    app = typer.Typer(
        name="digest",
        help="A self-hosted weekly digest mailer: collect, compose, release, once.",
        epilog=_SHARED,
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
    )

    @app.callback()
    def _keep_the_name() -> None:
        """Keep the command's name: Typer drops it where there is only one."""

    wanted = [command] if command in _MODULES else list(_MODULES)
    # A module that adds several commands is loaded once.
    for module in dict.fromkeys(m for name in wanted for m in _MODULES[name]):
        importlib.import_module(f"digest.cli.{module}").register(app)
    _tell_shared(app)
    return app


def _tell_shared(app: typer.Typer) -> None:
    """Name the shared options at the end of the help of every command and group."""
    for command in app.registered_commands:
        command.epilog = _SHARED
    for group in app.registered_groups:
        group.epilog = _SHARED
        if group.typer_instance is not None:
            _tell_shared(group.typer_instance)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Without the program's name; default the process's.

    Returns:
        The exit status: 0 done, 1 it failed, 2 wrong usage.
    """
    face = Face()
    logs.set_up()
    try:
        rest = _take_shared(
            list(sys.argv[1:] if arguments is None else arguments), face
        )
        app = make_app(next((word for word in rest if word[:1] != "-"), None))
        result = app(rest, prog_name="digest", standalone_mode=False, obj=face)
    except KeyboardInterrupt:
        result = _INTERRUPTED
    except (DigestError, TyperException, Abort, OSError, *TROUBLE) as error:
        if face.debug:
            raise
        return _explain(face, error)
    except Exception as error:
        if face.debug:
            raise
        kind = type(error).__name__
        mend = "Run it again with --debug and report what it prints."
        return _fail(face, f"Unexpected {kind}: {_first_line(error)}", mend, 1)
    finally:
        face.close()
    if result == _INTERRUPTED:  # Typer makes a status of Ctrl-C, without a word
        return _fail(face, "Interrupted.", "", _INTERRUPTED)
    return int(result or 0)


def _take_shared(arguments: list[str], face: Face) -> list[str]:
    """Take out the options every command shares, wherever they stand."""
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        if argument == "--":
            rest += [argument, *remaining]
        elif argument == "--json":
            face.as_json = True
        elif argument == "--debug":
            face.debug = True
        elif argument == "--config":
            face.config = _config_path(next(remaining, None))
        elif argument.startswith("--config="):
            face.config = _config_path(argument.partition("=")[2])
        else:
            rest.append(argument)
    return rest


def _config_path(text: str | None) -> Path:
    if not text:
        raise UsageError(
            "--config needs a path.", "Example: --config config/digest.toml"
        )
    return Path(text)


def _explain(face: Face, error: BaseException) -> int:
    match error:
        case DigestError():
            return _fail(face, error.message, error.mend, error.exit_status)
        case TyperException():
            return _explain_usage(face, error)
        case OSError():
            named = f"{error.filename}: " if error.filename else ""
            mend = "Check that path, and that you may read and write there."
            reason = f"{named}{error.strerror or error}."
            return _fail(face, reason, mend if error.filename else "", 1)
        case _ if isinstance(error, TROUBLE):
            return _explain(face, explain_trouble(error))
        case _:
            return _fail(face, "Aborted.", "", 1)


def _explain_usage(face: Face, error: TyperException) -> int:
    """Say what is wrong with a command line, or show the help it left out."""
    message = error.format_message()
    where = getattr(getattr(error, "ctx", None), "command_path", "digest")
    if message.startswith("Usage:"):  # a group without a command raises its help
        if not face.as_json:
            print(message, file=sys.stderr)
            return error.exit_code
        message = "No command was given."
    # What checks types here says it its own way.
    said = f"{message.replace('Value error, ', '').rstrip('.')}."
    return _fail(face, said, f"See: {where} --help", error.exit_code)


def _first_line(error: object) -> str:
    return (str(error).splitlines() or [""])[0]


def _fail(face: Face, message: str, mend: str, status: int) -> int:
    if face.as_json:
        print(json.dumps({"error": message, "mend": mend}, ensure_ascii=False))
    else:
        print(" ".join(f"error: {message} {mend}".split()), file=sys.stderr)
    return status
