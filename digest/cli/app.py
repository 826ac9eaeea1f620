"""The command tree, and the one place where errors become a line and a status."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import typer
from sqlalchemy.exc import OperationalError
from typer.exceptions import Abort, TyperException

from digest.cli import (
    articles,
    deliveries,
    demo,
    dkim,
    doctor,
    editions,
    logs,
    mail,
    posting,
    schedules,
    serve,
    setup,
    sources,
    subscribers,
    worker,
)
from digest.cli.face import Face
from digest.domain.errors import DigestError, UsageError

app = typer.Typer(
    name="digest",
    help="A self-hosted weekly digest mailer: collect, compose, release, once.",
    epilog="Every command takes --json, --debug and --config PATH.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
)
setup.register(app)
articles.register(app)
sources.register(app)
editions.register(app)
subscribers.register(app)
posting.register(app)
deliveries.register(app)
worker.register(app)
serve.register(app)
schedules.register(app)
dkim.register(app)
doctor.register(app)
mail.register(app)
demo.register(app)


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
        result = app(rest, prog_name="digest", standalone_mode=False, obj=face)
    except KeyboardInterrupt:
        return _fail(face, "Interrupted.", "", 130)
    except (DigestError, TyperException, Abort, OSError, OperationalError) as error:
        if face.debug:
            raise
        return _explain(face, error)
    except Exception as error:
        if face.debug:
            raise
        kind = type(error).__name__
        mend = "Run it again with --debug and report what it prints."
        return _fail(face, f"Unexpected {kind}: {_first_line(error)}", mend, 1)
    else:
        return int(result or 0)
    finally:
        face.close()


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
            mend = "See: digest --help"
            return _fail(face, error.format_message(), mend, error.exit_code)
        case OSError():
            named = f"{error.filename}: " if error.filename else ""
            return _fail(face, f"{named}{error.strerror or error}", "", 1)
        case OperationalError():
            reason = _first_line(error.orig)
            mend = "Check DIGEST_DATABASE__URL and that the database runs."
            return _fail(face, f"The database refused: {reason}.", mend, 1)
        case _:
            return _fail(face, "Aborted.", "", 1)


def _first_line(error: object) -> str:
    return (str(error).splitlines() or [""])[0]


def _fail(face: Face, message: str, mend: str, status: int) -> int:
    if face.as_json:
        print(json.dumps({"error": message, "mend": mend}, ensure_ascii=False))
    else:
        print(" ".join(f"error: {message} {mend}".split()), file=sys.stderr)
    return status
