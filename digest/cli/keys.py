"""`keys`: the keys that sign links and envelope addresses."""

from typing import Annotated, Any

import typer

from digest.care.keys import TokenKeyFile, list_token_keys, rotate_token_key
from digest.cli.face import CLI, face_of
from digest.domain.errors import NotFoundError
from digest.storage import audit

After = Annotated[int, typer.Option(min=0, help="List from behind this key's id.")]
Limit = Annotated[int, typer.Option(min=1, max=255, help="At most so many.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(
        help="The keys that sign links and addresses.", no_args_is_help=True
    )
    group.command("list")(list_keys)
    group.command("rotate")(rotate)
    app.add_typer(group, name="keys")


def list_keys(ctx: typer.Context, *, limit: Limit = 50, after: After = 0) -> None:
    """List the token keys, the oldest first; the last one signs."""
    face = face_of(ctx)
    found = list_token_keys(face.settings().keys)
    if not found:
        raise NotFoundError("There are no token keys.", "Run: digest init")
    page = [key for key in found if key.id > after][: limit + 1]
    face.show_page(
        [_document(key) for key in page],
        [_line(key) for key in page],
        limit=limit,
        none="No more keys.",
    )


def rotate(ctx: typer.Context) -> None:
    """Make a new key for new links; links in letters already sent keep working."""
    face = face_of(ctx)
    service = face.service()
    made = rotate_token_key(service.settings.keys)
    with service.db.write() as tx:
        audit.record(
            tx,
            actor=CLI,
            action="keys.rotated",
            subject=("token_key", made.id),
            now=service.now(),
        )
    face.show(
        _document(made),
        [
            f"Made {made.path}.",
            "On several machines: copy it to the others now, before any is restarted.",
            "Back up HOME/keys. What runs reads it at once, and signs with it after",
            "its next restart.",
        ],
    )


def _document(key: TokenKeyFile) -> dict[str, Any]:
    return {
        "id": key.id,
        "file": key.path,
        "made_at": key.made_at,
        "current": key.is_current,
    }


def _line(key: TokenKeyFile) -> str:
    mark = "  signs" if key.is_current else ""
    return f"{key.id:>3}  {key.made_at:%Y-%m-%d %H:%M} UTC  {key.path}{mark}"
