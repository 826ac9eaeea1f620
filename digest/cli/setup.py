"""`init`, `db`, `config`: making and looking at an installation."""

import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from pydantic import SecretStr

from digest import bootstrap
from digest.bootstrap import installing
from digest.cli.face import CLI, face_of
from digest.domain.errors import DigestError, SettingsError
from digest.domain.hosts import is_loopback, is_reserved
from digest.settings import Settings
from digest.storage import copying, schema
from digest.storage.engine import Database


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    config = typer.Typer(help="Look at the settings.", no_args_is_help=True)
    config.command("check")(check_config)
    database = typer.Typer(help="Look after the database.", no_args_is_help=True)
    database.command("upgrade")(upgrade_database)
    database.command("copy")(copy_database)
    app.command("init")(initialise)
    app.add_typer(config, name="config")
    app.add_typer(database, name="db")


def initialise(ctx: typer.Context) -> None:
    """Make the database, the secret keys and the first newsletter; safe to repeat."""
    face = face_of(ctx)
    settings = face.settings()
    done = installing.initialise(settings, actor=CLI)
    document = {"home": settings.home, "made": done.made, "kept": done.kept}
    lines = [f"Ready in {settings.home}."]
    lines += [f"  made   {what}" for what in done.made]
    lines += [f"  kept   {what}" for what in done.kept]
    face.show(document, lines)


def check_config(ctx: typer.Context) -> None:
    """Print the effective settings, secrets masked."""
    face = face_of(ctx)
    settings = face.settings()
    for warning in warnings_of(settings):
        face.say(f"warning: {warning}")
    shown = masked(settings)
    face.show(shown, json.dumps(shown, indent=2, ensure_ascii=False))


def upgrade_database(ctx: typer.Context) -> None:
    """Bring the database to the schema this version knows."""
    face = face_of(ctx)
    db = bootstrap.find_database(face.settings())
    schema.upgrade(db)
    face.show({"revision": schema.current(db)}, f"At schema {schema.current(db)}.")
    db.close()


def copy_database(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A SQLite database: HOME/digest.db")],
) -> None:
    """Copy a SQLite database into the one of DIGEST_DATABASE__URL, new and empty."""
    face = face_of(ctx)
    settings = face.settings()
    if not file.is_file():
        raise DigestError(f"There is no file {file}.", "Name the old HOME/digest.db.")
    if settings.database.url is None:
        raise SettingsError(
            "No database is set that could be copied into.",
            "Set DIGEST_DATABASE__URL, or database.url in the settings file.",
        )
    source = Database(f"sqlite:///{file.absolute()}")
    target = Database(settings.database_url)
    try:
        with face.progress("copying") as bar:

            def tell(table: str, count: int) -> None:
                bar.update(bar.task_ids[0], description=table, completed=count)

            counts = copying.copy(source, target, tell=tell)
    finally:
        source.close()
        target.close()
    lines = [f"{count:>9} {table}" for table, count in counts.items() if count]
    face.show({"rows": counts}, [*lines, "Copied. Keep HOME/keys as it is."])


def masked(settings: Settings) -> dict[str, Any]:
    """Return the effective settings as plain values, secrets replaced by `***`."""
    shown = settings.model_dump()
    for part in shown.values():
        if isinstance(part, dict):
            part.update({k: "***" for k, v in part.items() if isinstance(v, SecretStr)})
    if settings.database.url is None:
        shown["database"]["url"] = settings.database_url
    shown["dkim"]["domain"] = settings.dkim_domain
    shown["dkim"]["private_key_file"] = str(settings.dkim_key_file)
    shown["home"] = str(settings.home)
    return shown


def warnings_of(settings: Settings) -> list[str]:
    """Say what works for a trial and would hurt real readers."""
    found = []
    if settings.web.base_url.startswith("http://"):
        found.append(
            f"web.base_url is {settings.web.base_url}: only this machine can open "
            "the links in letters. Set an https:// address before you send."
        )
    elif is_reserved(urlsplit(settings.web.base_url).hostname or ""):
        found.append(
            f"web.base_url is {settings.web.base_url}, which nobody has (RFC 2606). "
            "Set your own before you send."
        )
    if is_reserved(settings.mail.domain):
        found.append(
            f"mail.domain is {settings.mail.domain}, which nobody has (RFC 2606). "
            "Set your own before you send."
        )
    if settings.smtp.security == "none" and not is_loopback(settings.smtp.host):
        found.append(f"letters travel to {settings.smtp.host} without encryption.")
    return found
