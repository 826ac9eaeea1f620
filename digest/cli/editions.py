"""`editions`: compose, look at, edit, check and approve an issue."""

from pathlib import Path
from typing import Annotated, Any

import typer

from digest.bootstrap import Service
from digest.cli.edition_changes import parse_ids, parse_moves, story_words
from digest.cli.edition_preview import preview_edition
from digest.cli.edition_text import (
    edition_document,
    edition_line,
    edition_lines,
    finding_documents,
    finding_lines,
    load_document,
)
from digest.cli.face import CLI, Face, counted, face_of
from digest.compose.approve import NO_REASON, approve
from digest.compose.draft import compose
from digest.compose.edit import Changes, edit, read_sponsor
from digest.compose.preflight import check
from digest.domain.calendar_text import parse_date
from digest.domain.editions import Sponsor
from digest.domain.errors import RefusedError
from digest.storage import editions as stored, newsletters

group = typer.Typer(
    help="Issues: from the week's stories to the post.", no_args_is_help=True
)

EditionId = Annotated[
    int, typer.Argument(metavar="ID", help="Its number: digest editions list")
]
_MOST_SPONSOR_BYTES = 64 * 1024


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group.command("compose")(compose_edition)
    group.command("list")(list_editions)
    group.command("show")(show_edition)
    group.command("edit")(edit_edition)
    group.command("preview")(preview_edition)
    group.command("check")(check_edition)
    group.command("approve")(approve_edition)
    app.add_typer(group, name="editions")


def compose_edition(
    ctx: typer.Context,
    *,
    newsletter: Annotated[str, typer.Option(help="Its name")] = "weekly",
    issue_date: Annotated[
        str | None, typer.Option(help="Local date; default: today")
    ] = None,
    articles: Annotated[
        str, typer.Option(help="Pick articles: ID,… the lead first")
    ] = "",
) -> None:
    """Compose a draft of the seven local dates that end with the issue date."""
    face = face_of(ctx)
    service = face.service()
    made = compose(
        service.db,
        newsletter=newsletter,
        issue_date=parse_date(issue_date) if issue_date else None,
        articles=parse_ids([articles]),
        templates=service.templates,
        site=service.site,
        actor=CLI,
        now=service.now(),
    )
    _show(face, service, made.edition.id, notes=made.notes)


def list_editions(
    ctx: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many")] = 50,
    after: Annotated[int | None, typer.Option(help="The cursor `next`")] = None,
) -> None:
    """List editions, the newest first."""
    face = face_of(ctx)
    service = face.service()
    with service.db.read() as tx:
        names = {n.id: n for n in newsletters.list_all(tx)}
        found = stored.list_page(tx, after=after, limit=limit + 1)
        documents = [
            edition_document(tx, e, names[e.newsletter_id], service) for e in found
        ]
    lines = [edition_line(document) for document in documents]
    none = "No edition yet. Run: digest editions compose"
    face.show_page(documents, lines, limit=limit, none=none)


def show_edition(ctx: typer.Context, edition: EditionId) -> None:
    """Show one edition with its stories."""
    face = face_of(ctx)
    document = load_document(face.service(), edition)
    face.show(document, edition_lines(document))


def edit_edition(
    ctx: typer.Context,
    edition: EditionId,
    *,
    subject: Annotated[str | None, typer.Option(help="One line")] = None,
    preheader: Annotated[str | None, typer.Option(help="One line")] = None,
    opening: Annotated[str | None, typer.Option(help="Words at the top")] = None,
    opening_by: Annotated[str | None, typer.Option(help="Who signs them")] = None,
    why: Annotated[str | None, typer.Option(help="Why the lead matters")] = None,
    sponsor_file: Annotated[
        Path | None, typer.Option(help="TOML: name, title, text, url")
    ] = None,
    no_sponsor: Annotated[
        bool, typer.Option("--no-sponsor", help="Take the paid block out")
    ] = False,
    lead: Annotated[int | None, typer.Option(help="Article to lead with")] = None,
    drop: Annotated[list[str] | None, typer.Option(help="ARTICLE,…")] = None,
    add: Annotated[list[str] | None, typer.Option(help="ARTICLE,…")] = None,
    move: Annotated[
        list[str] | None, typer.Option(help="ARTICLE:POSITION; 1 is the lead")
    ] = None,
    title: Annotated[list[str] | None, typer.Option(help="ARTICLE:WORDS")] = None,
    standfirst: Annotated[list[str] | None, typer.Option(help="ARTICLE:WORDS")] = None,
    alt: Annotated[list[str] | None, typer.Option(help="ARTICLE:WORDS")] = None,
    credit: Annotated[list[str] | None, typer.Option(help="ARTICLE:WORDS")] = None,
    section: Annotated[list[str] | None, typer.Option(help="ARTICLE:SECTION")] = None,
) -> None:
    """Edit an issue that was not released yet; this withdraws its approval."""
    face = face_of(ctx)
    service = face.service()
    words = {
        "title": title or [],
        "standfirst": standfirst or [],
        "alt": alt or [],
        "credit": credit or [],
        "section": section or [],
    }
    changes = Changes(
        subject=subject,
        preheader=preheader,
        opening=opening,
        opening_by=opening_by,
        why=why,
        sponsor=_read_sponsor(sponsor_file) if sponsor_file else None,
        no_sponsor=no_sponsor,
        lead=lead,
        drop=parse_ids(drop or []),
        add=parse_ids(add or []),
        moves=parse_moves(move or []),
        stories=story_words(words),
    )
    before = load_document(service, edition)
    made = edit(
        service.db,
        edition_id=edition,
        changes=changes,
        templates=service.templates,
        site=service.site,
        actor=CLI,
        now=service.now(),
    )
    withdrawn = before["state"] != made.edition.state
    notes = ["Its approval is withdrawn."] if withdrawn else []
    _show(face, service, edition, notes=[*made.notes, *notes])


def check_edition(ctx: typer.Context, edition: EditionId) -> None:
    """Check an issue: errors must be mended, warnings are for an editor to judge."""
    face = face_of(ctx)
    service = face.service()
    found = check(
        service.db,
        edition_id=edition,
        templates=service.templates,
        site=service.site,
        signed=service.settings.is_signed,
    )
    document = {
        "errors": finding_documents(found.errors),
        "warnings": finding_documents(found.warnings),
        "size_bytes": found.size_bytes,
        "reading_minutes": found.reading_minutes,
    }
    lines = [
        *finding_lines("error", found.errors),
        *finding_lines("warning", found.warnings),
    ]
    total = (
        f"{counted(len(found.errors), 'error')}, "
        f"{counted(len(found.warnings), 'warning')}; "
        f"HTML {found.size_bytes / 1024:.0f} KB, {found.reading_minutes} min to read."
    )
    face.show(document, [*lines, total])
    if found.errors:
        raise typer.Exit(1)


def approve_edition(
    ctx: typer.Context,
    edition: EditionId,
    *,
    because: Annotated[
        str, typer.Option(help="Why its warnings are accepted; kept with it")
    ] = "",
) -> None:
    """Accept exactly this content, with its warnings, and freeze what readers get."""
    face = face_of(ctx)
    service = face.service()
    made = approve(
        service.db,
        edition_id=edition,
        because=because,
        templates=service.templates,
        site=service.site,
        signed=service.settings.is_signed,
        actor=CLI,
        now=service.now(),
    )
    notes = finding_lines("accepted", made.accepted)
    if made.edition.approved_because == NO_REASON:
        notes.append("No reason was given: --because TEXT would record one.")
    _show(face, service, edition, notes=notes)


def _show(face: Face, service: Service, edition_id: int, *, notes: Any = ()) -> None:
    document = load_document(service, edition_id)
    face.show(
        {"edition": document, "notes": list(notes)},
        [*edition_lines(document), *notes],
    )


def _read_sponsor(path: Path) -> Sponsor:
    if path.stat().st_size > _MOST_SPONSOR_BYTES:
        raise RefusedError(f"{path} is too large for a sponsor file.", "Check it.")
    try:
        return read_sponsor(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise RefusedError(
            f"{path} is not a text file in UTF-8.", "Save it as UTF-8."
        ) from None
