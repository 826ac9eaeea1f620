"""`init`, `db upgrade`, `config check`: making and looking at an installation."""

import json

import typer

from digest import bootstrap
from digest.cli.face import face_of
from digest.settings import masked
from digest.storage import schema
from digest.storage.engine import Database


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    config = typer.Typer(help="Look at the settings.", no_args_is_help=True)
    config.command("check")(check_config)
    database = typer.Typer(help="Look after the database.", no_args_is_help=True)
    database.command("upgrade")(upgrade_database)
    app.command("init")(initialise)
    app.add_typer(config, name="config")
    app.add_typer(database, name="db")


def initialise(ctx: typer.Context) -> None:
    """Make the database, the secret keys and the first newsletter; safe to repeat."""
    face = face_of(ctx)
    settings = face.settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    bootstrap.create_keys(settings.keys)
    db = Database(settings.database_url)
    schema.upgrade(db)
    db.close()
    face.show({"home": settings.home}, f"Ready in {settings.home}.")


def check_config(ctx: typer.Context) -> None:
    """Print the effective settings, secrets masked."""
    face = face_of(ctx)
    shown = masked(face.settings())
    face.show(shown, json.dumps(shown, indent=2, ensure_ascii=False))


def upgrade_database(ctx: typer.Context) -> None:
    """Bring the database to the schema this version knows."""
    face = face_of(ctx)
    db = Database(face.settings().database_url)
    schema.upgrade(db)
    face.show({"revision": schema.current(db)}, f"At schema {schema.current(db)}.")
    db.close()
