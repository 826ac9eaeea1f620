"""`adopt`: let this home send for a database that was restored or copied."""

from dataclasses import asdict
from typing import Annotated

import typer

from digest.care import installation
from digest.care.installation import Adopted
from digest.cli.face import CLI, face_of
from digest.domain.homes import Standing


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("adopt")(adopt)


def adopt(
    ctx: typer.Context,
    *,
    join: Annotated[
        bool, typer.Option("--join", help="One more machine: everything goes on")
    ] = False,
) -> None:
    """Let letters go from here after a restore; what was under way waits for you."""
    face = face_of(ctx)
    service = face.service()
    done = installation.adopt(
        service.db, face.settings().home, join=join, actor=CLI, now=service.now()
    )
    face.show(asdict(done), _lines(done))


def _lines(done: Adopted) -> list[str]:
    if done.was is Standing.KNOWN:
        return ["Letters may go from here already."]
    return [
        *([done.was.words] if done.was.words else []),
        "Letters may go from here now.",
        *(
            f"  Edition {number} is paused. Compare it with what your relay sent since,"
            f" then: digest editions resume {number} (or cancel {number})"
            for number in done.paused
        ),
        *(
            f"  Edition {number} has no time any more. If it was not sent since:"
            f" digest editions release {number}"
            for number in done.unscheduled
            if number not in done.held
        ),
        *(
            f"  Edition {number} is held. If it was not sent since:"
            f" digest editions approve {number}"
            for number in done.held
        ),
    ]
