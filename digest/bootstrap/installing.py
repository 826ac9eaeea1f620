"""Make what an installation needs and lacks: home, keys, database, newsletters."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from digest.bootstrap import Clock, pin_time_zones, utc_now
from digest.care import keys, newsletter_files, newsletter_seeds
from digest.domain.actor import Actor
from digest.domain.errors import DigestError
from digest.settings import Settings
from digest.storage import newsletters, schema
from digest.storage.engine import Database
from digest.templating import shipped


@dataclass(frozen=True, kw_only=True)
class Initialised:
    """What `initialise` found and made, in words for people."""

    made: list[str]
    kept: list[str]


def initialise(
    settings: Settings,
    *,
    actor: Actor,
    clock: Clock = utc_now,
    seeds: Path | None = None,
) -> Initialised:
    """Make what an installation needs and lacks; safe to repeat.

    Args:
        settings: Where it is.
        actor: Who asks.
        clock: Tells the time.
        seeds: The folder of newsletter files; default `config/newsletters` of the
            working folder where it has any, else the one that was shipped.

    Raises:
        DigestError: The home cannot be written, a newsletter file is wrong, or keys
            that the database relies on are lost.
    """
    pin_time_zones()
    domain = settings.mail.domain
    files = [
        path
        for path in find_newsletter_files(seeds)
        if newsletter_files.read_seed(path, mail_domain=domain).at_init
    ]
    try:
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        keys.make_private_folder(settings.keys)
        if settings.database.url is None:
            (settings.home / "digest.db").touch(mode=0o600)
    except OSError as error:
        raise DigestError(
            f"{settings.home} cannot be written: {error.strerror}.",
            "Set DIGEST_HOME to a folder of your own.",
        ) from None
    db = Database(settings.database_url)
    try:
        return _fill(settings, db, files, actor=actor, now=clock())
    finally:
        db.close()


def _fill(
    settings: Settings, db: Database, files: list[Path], *, actor: Actor, now: datetime
) -> Initialised:
    before = schema.current(db)
    schema.upgrade(db)
    with db.read() as tx:
        in_use = bool(newsletters.list_all(tx))
    made, kept = keys.create_keys(settings.keys, in_use=in_use)
    seeded = newsletter_seeds.seed(
        db, files, mail_domain=settings.mail.domain, actor=actor, now=now
    )
    slugs = {newsletter.slug for newsletter in seeded}
    made = [f"keys/{name}" for name in made]
    kept = [f"keys/{name}" for name in kept]
    (kept if before == schema.current(db) else made).append("database")
    for path in files:
        (made if path.stem in slugs else kept).append(f"newsletter {path.stem}")
    return Initialised(made=made, kept=kept)


def find_newsletter_files(folder: Path | None = None) -> list[Path]:
    """List the newsletter files of a folder, of the working folder, or the shipped."""
    own = sorted((folder or Path("config/newsletters")).glob("*.toml"))
    return own or sorted((shipped("config") / "newsletters").glob("*.toml"))
