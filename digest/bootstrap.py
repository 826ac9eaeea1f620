"""The one place that builds objects from settings and hands them to faces.

Only this module reads the clock; everything below is given `now` or a `clock`.
"""

import os
import secrets as random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from digest.domain.errors import SettingsError, StateError
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.domain.tokens import KEY_OCTETS, TokenKeys
from digest.settings import Settings
from digest.storage import schema
from digest.storage.engine import Database
from digest.templating import Templates

Clock = Callable[[], datetime]

_TOKEN_KEY = "token-{}.key"  # noqa: S105 - a file name
_ADDRESS_KEY = "address.key"


@dataclass(frozen=True, kw_only=True)
class Service:
    """What faces are given.

    Attributes:
        settings: For faces only; stages take plain arguments.
        db: The database, at the schema this version knows.
        site: Public addresses.
        secrets: Signing and hashing keys.
        templates: Letters and pages.
        clock: Returns the present instant, aware, UTC.
    """

    settings: Settings
    db: Database
    site: Site
    secrets: Secrets
    templates: Templates
    clock: Clock

    def now(self) -> datetime:
        """Read the clock."""
        return self.clock()


def utc_now() -> datetime:
    """Return the present instant."""
    return datetime.now(tz=UTC)  # noqa: TID251 - the one place


def open_service(settings: Settings, *, clock: Clock = utc_now) -> Service:
    """Build what a face needs on an installation that `init` has made.

    Raises:
        StateError: There is no database yet, or its schema is another version's.
        SettingsError: The secret keys are missing or malformed.
    """
    missing = (
        settings.database.url is None and not (settings.home / "digest.db").exists()
    )
    if missing:
        raise StateError(
            f"There is no installation in {settings.home}.", "Run: digest init"
        )
    db = Database(settings.database_url)
    schema.require_current(db)
    return Service(
        settings=settings,
        db=db,
        site=make_site(settings),
        secrets=read_secrets(settings.keys),
        templates=Templates(),
        clock=clock,
    )


def make_site(settings: Settings) -> Site:
    """Return the public addresses."""
    return Site(base_url=settings.web.base_url, mail_domain=settings.mail.domain)


def create_keys(folder: Path) -> None:
    """Make the secret keys that are missing; existing ones are kept."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not list(folder.glob(_TOKEN_KEY.format("*"))):
        _write_key(folder / _TOKEN_KEY.format(1))
    if not (folder / _ADDRESS_KEY).exists():
        _write_key(folder / _ADDRESS_KEY)


def read_secrets(folder: Path) -> Secrets:
    """Load the keys under `HOME/keys`.

    Raises:
        SettingsError: One is missing or has the wrong size.
    """
    keys = {
        int(path.stem.removeprefix("token-")): _read_key(path)
        for path in folder.glob(_TOKEN_KEY.format("[0-9]*"))
    }
    if not keys:
        raise SettingsError(f"There are no token keys in {folder}.", "Run: digest init")
    return Secrets(
        tokens=TokenKeys(current=max(keys), keys=keys),
        address_key=_read_key(folder / _ADDRESS_KEY),
    )


def _write_key(path: Path) -> None:
    # O_EXCL: two `init` at once must not each believe in a key of its own.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(random.token_hex(KEY_OCTETS) + "\n")


def _read_key(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        key = b""
    if len(key) != KEY_OCTETS:
        raise SettingsError(
            f"The key {path} is missing or damaged.",
            "Restore it from the backup; a new one would void links already sent.",
        )
    return key
