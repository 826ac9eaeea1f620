"""`dkim`: the key that signs letters, and the record that publishes it."""

from pathlib import Path
from typing import Annotated

import typer

from digest.care.keys import make_private_folder, write_private
from digest.cli.face import Face, face_of
from digest.domain.errors import NotFoundError, StateError
from digest.mail.dkim import dns_record, generate_key
from digest.settings import Settings

Force = Annotated[
    bool,
    typer.Option(help="Replace the key; letters signed with it no longer verify."),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="The key that signs letters.", no_args_is_help=True)
    group.command("generate")(generate)
    group.command("show")(show)
    app.add_typer(group, name="dkim")


def generate(ctx: typer.Context, *, force: Force = False) -> None:
    """Make an RSA-2048 key and print the DNS record that publishes it."""
    face = face_of(ctx)
    settings = face.settings()
    path = settings.dkim_key_file
    if path.exists() and not force:
        raise StateError(
            f"There is a key already: {path}.",
            "See it with `digest dkim show`; --force replaces it.",
        )
    make_key(path, replace=force)
    if settings.dkim.mode == "relay":
        face.say("note: dkim.mode is relay: the key is not used until it is self.")
    _show(face, settings)


def show(ctx: typer.Context) -> None:
    """Print the DNS record that publishes the key."""
    face = face_of(ctx)
    _show(face, face.settings())


def make_key(path: Path, *, replace: bool = False) -> None:
    """Write a new private key, readable by its owner alone."""
    if not path.parent.is_dir():
        make_private_folder(path.parent)
    write_private(path, generate_key(), replace=replace)


def _show(face: Face, settings: Settings) -> None:
    path = settings.dkim_key_file
    if not path.exists():
        raise NotFoundError(f"There is no key at {path}.", "Run: digest dkim generate")
    record = dns_record(
        path.read_bytes(),
        domain=settings.dkim_domain,
        selector=settings.dkim.selector,
    )
    quoted = " ".join(f'"{piece}"' for piece in record.strings)
    face.show(
        {
            "domain": settings.dkim_domain,
            "selector": settings.dkim.selector,
            "private_key_file": path,
            "record": {"name": record.name, "type": "TXT", "value": record.value},
        },
        [f"Key:    {path}", "Publish:", f"{record.name}. IN TXT {quoted}"],
    )
