"""What must be right on this machine: home, keys, database, disk, zones, templates."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from digest.care.checks import Check, attempt, failed, passed, skipped
from digest.care.installation import examine
from digest.care.keys import read_secrets
from digest.domain.newsletters import Newsletter
from digest.storage import schema
from digest.storage.engine import Database
from digest.templating import Templates

_INIT = "Run: digest init"
_LEAST_FREE = 500_000_000
_SUMMER_IN_CAIRO = datetime(2024, 5, 12, 12, 0)  # noqa: DTZ001 - a wall clock


def check_machine(
    *, home: Path, keys: Path, db: Database | None, templates: Templates
) -> Iterator[Check]:
    """Look at the installation's own parts."""
    if home.is_dir():
        yield attempt("home", lambda: _check_home(home))
        yield attempt("keys", lambda: _check_keys(keys))
        yield attempt("database", lambda: _check_database(db))
        yield attempt("copy", lambda: _check_copy(db, home))
        yield attempt("disk", lambda: _check_disk(home))
    else:
        yield failed("home", f"There is no {home} yet.", _INIT)
    yield attempt("templates", lambda: _check_templates(templates))


def check_zones(newsletters: Sequence[Newsletter]) -> Iterator[Check]:
    """Look whether the zones of newsletters are known, and by recent rules."""
    for newsletter in newsletters:
        zone = newsletter.time_zone
        yield attempt("time zone", _zone_check(zone))


def _zone_check(zone: str) -> Callable[[], Check]:
    def look() -> Check:
        try:
            found = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            return failed("time zone", f"{zone} is unknown.", "Update tzdata.")
        # Egypt has had summer time again since 2023.
        summer = _SUMMER_IN_CAIRO.replace(tzinfo=ZoneInfo("Africa/Cairo"))
        if summer.utcoffset() != timedelta(hours=3):
            return failed("time zone", "The zone rules are old.", "Update tzdata.")
        return passed("time zone", f"{found.key} is known, by recent rules.")

    return look


def _check_home(home: Path) -> Check:
    if not os.access(home, os.W_OK | os.X_OK):
        return failed("home", f"{home} cannot be written.", "Change its owner.")
    mode = home.stat().st_mode & 0o077
    if mode:
        return failed("home", f"{home} is open to others.", f"Run: chmod 700 {home}")
    return passed("home", f"{home} is ours alone.")


def _check_keys(keys: Path) -> Check:
    if not keys.is_dir():
        return failed("keys", f"There is no {keys} yet.", _INIT)
    files = sorted(p for p in keys.iterdir() if p.is_file())
    loose = [p for p in (keys, *files) if p.stat().st_mode & 0o077]
    if loose:
        return failed(
            "keys",
            f"{loose[0]} is open to others.",
            f"Run: chmod {'700' if loose[0] == keys else '600'} {loose[0]}",
        )
    read_secrets(keys)
    return passed("keys", f"{len(files)} files in {keys}, for their owner alone.")


def _check_database(db: Database | None) -> Check:
    if db is None:
        return failed("database", "There is none yet.", _INIT)
    schema.require_current(db)
    schema.require_writable(db)
    kind = "SQLite" if db.is_sqlite else "PostgreSQL"
    return passed("database", f"{kind}, at schema {schema.current(db)}, writable.")


def _check_copy(db: Database | None, home: Path) -> Check:
    if db is None:
        return skipped("copy", "there is no database")
    schema.require_current(db)
    found = examine(db, home)
    if not found.may_send:
        return failed("copy", found.words, "If it shall send, run: digest adopt")
    return passed("copy", "Home and database belong together.")


def _check_disk(home: Path) -> Check:
    free = shutil.disk_usage(home).free
    detail = f"{free / 1e9:.1f} GB free at {home}."
    if free < _LEAST_FREE:
        return failed("disk", detail, "Make room: nothing is sent on a full disk.")
    return passed("disk", detail)


def _check_templates(templates: Templates) -> Check:
    faults = templates.faults()
    if faults:
        return failed("templates", faults[0], "Mend that template.")
    return passed("templates", f"All in {templates.root} load.")
