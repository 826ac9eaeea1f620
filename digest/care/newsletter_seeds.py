"""Newsletters from their files into the database, which rules from then on."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from digest.care.newsletter_files import Seed, read_seed
from digest.domain.actor import Actor
from digest.domain.errors import StateError
from digest.domain.newsletters import Newsletter
from digest.domain.schedules import describe
from digest.storage import audit, newsletters, schedules
from digest.storage.engine import Database, Tx


def seed(
    db: Database,
    files: Sequence[Path],
    *,
    mail_domain: str,
    actor: Actor,
    now: datetime,
) -> list[Newsletter]:
    """Store the newsletters that the database does not have yet, all or none.

    Returns:
        Those that were stored.

    Raises:
        SettingsError: A file is wrong; nothing was stored.
    """
    wanted = [read_seed(path, mail_domain=mail_domain) for path in files]
    with db.write() as tx:
        known = {newsletter.slug for newsletter in newsletters.list_all(tx)}
        return [
            _store(tx, one, actor=actor, now=now)
            for one in wanted
            if one.newsletter.slug not in known
        ]


def add(
    db: Database, path: Path, *, mail_domain: str, actor: Actor, now: datetime
) -> Newsletter:
    """Store one more newsletter.

    Raises:
        SettingsError: The file is wrong.
        StateError: There is a newsletter of that name.
    """
    wanted = read_seed(path, mail_domain=mail_domain)
    slug = wanted.newsletter.slug
    with db.write() as tx:
        if slug in {newsletter.slug for newsletter in newsletters.list_all(tx)}:
            raise StateError(
                f"There is a newsletter {slug!r} already.",
                "Give the file another name, or, to change it, run: "
                f"digest newsletters update {path}",
            )
        return _store(tx, wanted, actor=actor, now=now)


def update(
    db: Database, path: Path, *, mail_domain: str, actor: Actor, now: datetime
) -> Newsletter:
    """Let a newsletter be what its file says by now; its schedule stays.

    Raises:
        SettingsError: The file is wrong.
        NotFoundError: There is no newsletter of its name.
    """
    wanted = read_seed(path, mail_domain=mail_domain).newsletter
    with db.write() as tx:
        before = newsletters.get(tx, wanted.slug)
        stored = newsletters.replace(tx, wanted)
        audit.record(
            tx,
            actor=actor,
            action="newsletter.updated",
            subject=("newsletter", stored.id),
            now=now,
            detail={"changed": _changed(before, stored)},
        )
    return stored


def _changed(before: Newsletter, after: Newsletter) -> list[str]:
    """Name what differs; the rows of sections are new each time."""

    def facts(newsletter: Newsletter) -> dict[str, Any]:
        sections = [asdict(section) | {"id": 0} for section in newsletter.sections]
        return asdict(newsletter) | {"sections": sections}

    old, new = facts(before), facts(after)
    return [name for name in old if old[name] != new[name]]


def _store(tx: Tx, wanted: Seed, *, actor: Actor, now: datetime) -> Newsletter:
    stored = newsletters.add(tx, wanted.newsletter, now=now)
    audit.record(
        tx,
        actor=actor,
        action="newsletter.seeded",
        subject=("newsletter", stored.id),
        now=now,
        detail={"slug": stored.slug},
    )
    if wanted.schedule is not None:
        kept = schedules.put(tx, stored.id, wanted.schedule, now, anew=True)
        audit.record(
            tx,
            actor=actor,
            action="schedule.set",
            subject=("schedule", kept.id),
            now=now,
            detail=describe(wanted.schedule),
        )
    return stored
