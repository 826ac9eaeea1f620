"""`newsletters`: looking at them, adding and changing one, a form for other sites."""

from pathlib import Path
from typing import Annotated

import typer

from digest.bootstrap import installing
from digest.care import newsletter_seeds
from digest.cli.face import CLI, face_of
from digest.domain.errors import NotFoundError
from digest.domain.newsletters import Newsletter
from digest.storage import newsletters

File = Annotated[
    Path,
    typer.Argument(help="A newsletter file, or the name of one in config/newsletters."),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="The newsletters.", no_args_is_help=True)
    group.command("list")(list_newsletters)
    group.command("add")(add_newsletter)
    group.command("update")(update_newsletter)
    group.command("form")(show_form)
    app.add_typer(group, name="newsletters")


def list_newsletters(ctx: typer.Context) -> None:
    """List the newsletters, the first one first."""
    face = face_of(ctx)
    with face.service().db.read() as tx:
        found = newsletters.list_all(tx)
    face.show(
        {"items": [_document(one) for one in found], "next": None},
        [
            f"{n.slug:<16} {n.language:<6} {n.sender.address:<32} {n.name}"
            for n in found
        ],
    )


def add_newsletter(ctx: typer.Context, file: File) -> None:
    """Add a newsletter from its file, whose name becomes the newsletter's."""
    face = face_of(ctx)
    service = face.service()
    added = newsletter_seeds.add(
        service.db,
        _find(file),
        mail_domain=service.settings.mail.domain,
        actor=CLI,
        now=service.now(),
    )
    url = service.site.page("/", added.slug)
    face.show(_document(added), f"Added {added.slug}; readers sign up at {url}")


def update_newsletter(ctx: typer.Context, file: File) -> None:
    """Let the newsletter of a file's name be what the file says by now.

    Approvals of its editions no longer count, and a schedule in the file is not read.
    """
    face = face_of(ctx)
    service = face.service()
    updated = newsletter_seeds.update(
        service.db,
        _find(file),
        mail_domain=service.settings.mail.domain,
        actor=CLI,
        now=service.now(),
    )
    face.show(
        _document(updated),
        f"{updated.slug} is now as the file says; its schedule stays.",
    )


def show_form(
    ctx: typer.Context,
    newsletter: Annotated[str, typer.Argument(help="A newsletter's name.")],
    *,
    topics: Annotated[bool, typer.Option(help="Let readers choose topics.")] = False,
) -> None:
    """Print a sign-up form, plain HTML that any site can paste."""
    face = face_of(ctx)
    service = face.service()
    with service.db.read() as tx:
        found = newsletters.get(tx, newsletter)
    html = service.templates.page(
        "_embedded_form",
        language=found.language,
        context={
            "newsletter": found,
            "direction": found.direction,
            "site": service.site,
            "topics": topics,
        },
    )
    # Editors of web pages make paragraphs of empty lines.
    form = "\n".join(line for line in html.splitlines() if line.strip())
    face.show({"newsletter": found.slug, "html": form}, form)


def _find(file: Path) -> Path:
    """Return the file named, or the one that stands for a name.

    Raises:
        NotFoundError: There is neither.
    """
    if file.is_file():
        return file
    known = {path.stem: path for path in installing.find_newsletter_files()}
    if str(file) not in known:
        raise NotFoundError(f"There is no file {file}.", f"Known: {', '.join(known)}.")
    return known[str(file)]


def _document(newsletter: Newsletter) -> dict[str, object]:
    return {
        "newsletter": newsletter.slug,
        "name": newsletter.name,
        "language": newsletter.language,
        "direction": newsletter.direction,
        "sender": newsletter.sender.address,
        "sections": [section.slug for section in newsletter.sections],
    }
