"""`editions hold` and `ask`: keep an edition from going, mail it to the desk."""

from typing import Annotated

import typer

from digest.cli.edition_changes import EditionId
from digest.cli.edition_text import show_changed
from digest.cli.face import CLI, counted, face_of
from digest.compose.hold import hold


def hold_edition(
    ctx: typer.Context,
    edition: EditionId,
    *,
    because: Annotated[str, typer.Option(help="Why, for whoever looks at it")] = "",
) -> None:
    """Keep an edition from going, also by itself; `editions approve` lifts that."""
    face = face_of(ctx)
    service = face.service()
    hold(
        service.db,
        edition_id=edition,
        because=because,
        actor=CLI,
        now=service.now(),
    )
    show_changed(face, service, edition)


def ask_desk(ctx: typer.Context, edition: EditionId) -> None:
    """Mail an edition to the desk, with links that settle it; once an hour at most."""
    face = face_of(ctx)
    service = face.service()
    now = service.now()
    letters = service.ask_desk(edition, None, actor=CLI, now=now)
    said = (
        f"{counted(letters, 'letter')} to the desk; a worker carries them."
        if letters
        else "The desk was mailed this within the hour: those links act."
    )
    face.show({"id": edition, "letters": letters}, said)
