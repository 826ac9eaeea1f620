"""`editions edit`: the editor's words, the order of stories, their own words."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated

import typer

from digest.bootstrap import Service
from digest.cli.edition_changes import (
    EditionId,
    parse_ids,
    parse_moves,
    story_words,
)
from digest.cli.edition_pictures import gather, notes_on
from digest.cli.edition_text import load_document, show_changed
from digest.cli.face import CLI, face_of
from digest.cli.picture_files import picture_url
from digest.compose import words_file
from digest.compose.edit import Changes, StoryWords, edit
from digest.domain.errors import RefusedError, UsageError

_MOST_BYTES = 64 * 1024
_Words = Annotated[list[str] | None, typer.Option(help="ARTICLE:WORDS")]
_Articles = Annotated[list[str] | None, typer.Option(help="ARTICLE,…")]


def edit_edition(
    ctx: typer.Context,
    edition: EditionId,
    *,
    file: Annotated[
        Path | None, typer.Option(help="TOML with any of the words; options win")
    ] = None,
    subject: Annotated[str | None, typer.Option(help="One line")] = None,
    preheader: Annotated[str | None, typer.Option(help="One line")] = None,
    opening: Annotated[
        str | None, typer.Option(help="Words at the top; Markdown")
    ] = None,
    opening_by: Annotated[str | None, typer.Option(help="Who signs them")] = None,
    why: Annotated[
        str | None, typer.Option(help="Why the lead matters; Markdown")
    ] = None,
    sponsor_file: Annotated[
        Path | None, typer.Option(help="TOML: name, title, text, url")
    ] = None,
    no_sponsor: Annotated[
        bool, typer.Option("--no-sponsor", help="Take the paid block out")
    ] = False,
    support_file: Annotated[
        Path | None, typer.Option(help="TOML: title, text, label, url")
    ] = None,
    no_support: Annotated[
        bool, typer.Option("--no-support", help="Take your own request out")
    ] = False,
    picks_file: Annotated[
        Path | None, typer.Option(help="TOML: [[picks]] of kind, title, words, url")
    ] = None,
    no_picks: Annotated[
        bool, typer.Option("--no-picks", help="Take 'Read, watch, go' out")
    ] = False,
    lead: Annotated[int | None, typer.Option(help="Article to lead with")] = None,
    drop: _Articles = None,
    add: _Articles = None,
    move: Annotated[
        list[str] | None, typer.Option(help="ARTICLE:POSITION; 1 is the lead")
    ] = None,
    title: _Words = None,
    standfirst: _Words = None,
    alt: _Words = None,
    credit: _Words = None,
    caption: _Words = None,
    image: Annotated[
        list[str] | None,
        typer.Option(help="ARTICLE:FILE-or-URL, another picture; ARTICLE: for none"),
    ] = None,
    section: Annotated[list[str] | None, typer.Option(help="ARTICLE:SECTION")] = None,
) -> None:
    """Edit an issue that was not released yet; this withdraws its approval."""
    picks = words_file.read_picks(_read(picks_file)) if picks_file else None
    changes = Changes(
        subject=subject,
        preheader=preheader,
        opening=opening,
        opening_by=opening_by,
        why=why,
        sponsor=words_file.read_sponsor(_read(sponsor_file)) if sponsor_file else None,
        no_sponsor=no_sponsor,
        support=words_file.read_support(_read(support_file)) if support_file else None,
        no_support=no_support,
        picks=() if no_picks else picks,
        lead=lead,
        drop=parse_ids(drop or []),
        add=parse_ids(add or []),
        moves=parse_moves(move or []),
        stories=story_words(
            {
                "title": title or [],
                "standfirst": standfirst or [],
                "alt": alt or [],
                "credit": credit or [],
                "caption": caption or [],
                "image": image or [],
                "section": section or [],
            }
        ),
    )
    if file:
        changes = _over(words_file.read_words(_read(file)), changes)
    _edit(ctx, edition, changes)


def _edit(ctx: typer.Context, edition_id: int, changes: Changes) -> None:
    face = face_of(ctx)
    service = face.service()
    before = load_document(service, edition_id)
    changes = replace(changes, stories=_take_pictures(service, changes.stories))
    made = edit(
        service.db,
        edition_id=edition_id,
        changes=changes,
        templates=service.templates,
        site=service.site,
        actor=CLI,
        now=service.now(),
    )
    withdrawn = before["state"] != made.edition.state
    notes = ["Its approval is withdrawn."] if withdrawn else []
    missing = []
    if changes.add or any(words.image for words in changes.stories.values()):
        missing = notes_on(gather(face, service, edition_id, again=False))
    show_changed(face, service, edition_id, notes=[*made.notes, *notes, *missing])


def _take_pictures(
    service: Service, stories: Mapping[int, StoryWords]
) -> dict[int, StoryWords]:
    return {
        article_id: replace(words, image=picture_url(service, words.image))
        if words.image
        else words
        for article_id, words in stories.items()
    }


def _over(filed: Changes, given: Changes) -> Changes:
    """Put options over what a file says; None and empty say nothing."""
    nothing = Changes()
    said = {
        f.name: value
        for f in fields(Changes)
        if (value := getattr(given, f.name)) != getattr(nothing, f.name)
    }
    for block in ("sponsor", "support"):
        if block in said:
            said.setdefault(f"no_{block}", False)
    return replace(filed, **said)


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise RefusedError(f"{path} is too large for words.", "Check it.")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise RefusedError(
            f"{path} is not a text file in UTF-8.", "Save it as UTF-8."
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
