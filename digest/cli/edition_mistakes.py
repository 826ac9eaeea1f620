"""`editions correct`, `editions recall`: when something wrong went out."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from digest.cli.edition_changes import EditionId, parse_ids
from digest.cli.edition_pictures import gather, notes_on
from digest.cli.edition_text import letters, show_changed
from digest.cli.face import CLI, face_of
from digest.compose.correct import correct
from digest.domain.errors import UsageError
from digest.domain.states import EditionState
from digest.send import steering


def register(group: typer.Typer) -> None:
    """Add the commands of this module to the group `editions`."""
    group.command("correct")(correct_edition)
    group.command("recall")(recall_edition)


def correct_edition(
    ctx: typer.Context,
    edition: EditionId,
    *,
    words: Annotated[
        str, typer.Option(help="What was wrong and what is right; Markdown")
    ] = "",
    words_file: Annotated[
        Path | None, typer.Option(help="The same, from a text file")
    ] = None,
    subject: Annotated[
        str, typer.Option(help="What it is about; default: the edition's subject")
    ] = "",
    signed: Annotated[str, typer.Option(help="Who signs the words")] = "",
    articles: Annotated[
        str, typer.Option(help="Stories as they should have been: ID,…")
    ] = "",
) -> None:
    """Draft a correction for exactly those who got an edition.

    It is edited, checked, approved and released as every edition.
    """
    face = face_of(ctx)
    service = face.service()
    made = correct(
        service.db,
        edition_id=edition,
        words=_read(words, words_file),
        subject=subject,
        signed=signed,
        articles=parse_ids([articles]),
        templates=service.templates,
        site=service.site,
        actor=CLI,
        now=service.now(),
    )
    number = made.edition.id
    missing = notes_on(gather(face, service, number)) if made.stories else []
    then = (
        f"Then: digest editions check {number}, digest editions approve {number}, "
        f"digest editions release {number}"
    )
    show_changed(face, service, number, notes=[*made.notes, *missing, then])


def recall_edition(
    ctx: typer.Context,
    edition: EditionId,
    *,
    because: Annotated[str, typer.Option(help="Why; kept with it")] = "",
) -> None:
    """Call a released edition back: what is not yet sent stays here, for good."""
    face = face_of(ctx)
    service = face.service()
    effect = steering.recall(
        service.db, edition_id=edition, because=because, actor=CLI, now=service.now()
    )
    gone = effect.sent + effect.under_way + effect.uncertain
    kept = letters(effect.skipped, "is not sent", "are not sent")
    said = (
        f"Edition {edition} is recalled: {kept}; {effect.sent:,} went out, "
        f"{effect.under_way} under way, {effect.uncertain} in doubt."
    )
    lines = [said]
    if gone:
        lines.append(
            f"Tell those who got it: digest editions correct {edition} --words TEXT"
        )
    face.show({"state": EditionState.CANCELLED, **asdict(effect)}, lines)


def _read(words: str, path: Path | None) -> str:
    if path is None:
        given = words
    else:
        try:
            given = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path} cannot be read: {error}.") from None
    if not given.strip():
        raise UsageError(
            "A correction says what was wrong and what is right.",
            "Give --words TEXT or --words-file FILE.",
        )
    return given
