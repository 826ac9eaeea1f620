"""`editions hold`: keep an edition from going."""

from typing import Annotated

import typer

from digest.cli.edition_changes import EditionId
from digest.cli.edition_text import show_changed
from digest.cli.face import CLI, face_of
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
