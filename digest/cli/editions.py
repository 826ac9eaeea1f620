"""`editions`: compose, look at, edit, check and approve an issue."""

from typing import Annotated

import typer

from digest.cli import edition_mistakes, edition_rehearse, posting
from digest.cli.edition_changes import EditionId, parse_ids
from digest.cli.edition_desk import ask_desk, hold_edition
from digest.cli.edition_edit import edit_edition
from digest.cli.edition_links import follow_links
from digest.cli.edition_pictures import gather, notes_on, picture_edition
from digest.cli.edition_preview import preview_edition
from digest.cli.edition_text import (
    edition_document,
    edition_line,
    edition_lines,
    finding_documents,
    finding_lines,
    load_document,
    show_changed,
)
from digest.cli.face import CLI, counted, face_of
from digest.compose.approve import NO_REASON, approve
from digest.compose.draft import compose
from digest.compose.preflight import check
from digest.domain.calendar_text import parse_date
from digest.storage import editions as stored, newsletters


def register(app: typer.Typer) -> None:
    """Add the group, with the commands of this module and of those beside it."""
    group = typer.Typer(
        help="Issues: from the week's stories to the post.", no_args_is_help=True
    )
    group.command("compose")(compose_edition)
    group.command("list")(list_editions)
    group.command("show")(show_edition)
    group.command("edit")(edit_edition)
    group.command("pictures")(picture_edition)
    group.command("preview")(preview_edition)
    group.command("check")(check_edition)
    group.command("approve")(approve_edition)
    group.command("hold")(hold_edition)
    group.command("ask")(ask_desk)
    for module in (posting, edition_mistakes, edition_rehearse):
        module.register(group)
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
    """Compose a draft of the seven local dates that end with the issue date.

    The pictures of its stories are fetched, too.
    """
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
    missing = notes_on(gather(face, service, made.edition.id))
    show_changed(face, service, made.edition.id, notes=[*made.notes, *missing])


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


def check_edition(
    ctx: typer.Context,
    edition: EditionId,
    *,
    links: Annotated[
        bool, typer.Option("--links", help="Follow the links too, over the network")
    ] = False,
) -> None:
    """Check an issue: errors must be mended, warnings are for an editor to judge."""
    face = face_of(ctx)
    service = face.service()
    found = check(
        service.db,
        edition_id=edition,
        templates=service.templates,
        site=service.site,
        posting=service.posting(),
    )
    # Without a size there is no letter whose links could be followed.
    dead = follow_links(face, service, edition) if links and found.size_bytes else []
    warnings = [*found.warnings, *dead]
    document = {
        "errors": finding_documents(found.errors),
        "warnings": finding_documents(warnings),
        "size_bytes": found.size_bytes,
        "reading_minutes": found.reading_minutes,
    }
    lines = [
        *finding_lines("error", found.errors),
        *finding_lines("warning", warnings),
    ]
    total = (
        f"{counted(len(found.errors), 'error')}, "
        f"{counted(len(warnings), 'warning')}; "
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
        posting=service.posting(),
        actor=CLI,
        now=service.now(),
    )
    notes = finding_lines("accepted", made.accepted)
    if made.edition.approved_because == NO_REASON:
        notes.append("No reason was given: --because TEXT would record one.")
    show_changed(face, service, edition, notes=notes)
