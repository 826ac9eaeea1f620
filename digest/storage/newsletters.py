"""Newsletters and their sections."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from digest.domain.errors import NotFoundError
from digest.domain.letters import Sender
from digest.domain.newsletters import Newsletter, Section, WhenEmpty
from digest.domain.own_links import OwnLinks
from digest.storage import tables
from digest.storage.engine import Tx


def add(tx: Tx, newsletter: Newsletter, *, now: datetime) -> Newsletter:
    """Insert a newsletter with its sections; row ids in the argument are ignored.

    Returns:
        The stored newsletter.
    """
    newsletter_id = tx.execute(
        insert(tables.newsletters)
        .values(**_columns(newsletter), created_at=now)
        .returning(tables.newsletters.c.id)
    ).scalar_one()
    _put_sections(tx, newsletter_id, newsletter.sections)
    return get(tx, newsletter.slug)


def replace(tx: Tx, newsletter: Newsletter) -> Newsletter:
    """Write the newsletter of this name anew, with its sections.

    Returns:
        The stored newsletter.

    Raises:
        NotFoundError: There is none of that name.
    """
    stored = get(tx, newsletter.slug)
    tx.execute(
        update(tables.newsletters)
        .where(tables.newsletters.c.id == stored.id)
        .values(**_columns(newsletter))
    )
    # Nothing names a section's row: stories and readers know its slug.
    tx.execute(
        delete(tables.sections).where(tables.sections.c.newsletter_id == stored.id)
    )
    _put_sections(tx, stored.id, newsletter.sections)
    return get(tx, newsletter.slug)


def get(tx: Tx, slug: str) -> Newsletter:
    """Load one newsletter by its name.

    Raises:
        NotFoundError: There is none of that name.
    """
    row = tx.execute(
        select(tables.newsletters).where(tables.newsletters.c.slug == slug)
    ).one_or_none()
    if row is None:
        known = ", ".join(n.slug for n in list_all(tx))
        raise NotFoundError(
            f"There is no newsletter {slug!r}.",
            f"Known: {known}." if known else "Run: digest init",
        )
    return _load(tx, row)


def get_by_id(tx: Tx, newsletter_id: int) -> Newsletter:
    """Load one newsletter by its row id."""
    row = tx.execute(
        select(tables.newsletters).where(tables.newsletters.c.id == newsletter_id)
    ).one()
    return _load(tx, row)


def list_all(tx: Tx) -> Sequence[Newsletter]:
    """Load every newsletter, oldest first."""
    rows = tx.execute(
        select(tables.newsletters).order_by(tables.newsletters.c.id)
    ).all()
    return [_load(tx, row) for row in rows]


def _columns(newsletter: Newsletter) -> dict[str, Any]:
    values = asdict(newsletter)
    sender = values.pop("sender")
    del values["id"], values["sections"]
    return values | {
        "sender_name": sender["name"],
        "sender_address": sender["address"],
        "reply_to": sender["reply_to"],
    }


def _put_sections(tx: Tx, newsletter_id: int, sections: Sequence[Section]) -> None:
    for section in sections:
        values = asdict(section)
        del values["id"]
        tx.execute(
            insert(tables.sections).values(**values, newsletter_id=newsletter_id)
        )


def _load(tx: Tx, row: Row[tuple[object, ...]]) -> Newsletter:
    c = tables.sections.c
    sections = tx.execute(
        select(tables.sections)
        .where(c.newsletter_id == row.id)
        .order_by(c.position, c.id)
    ).all()
    return Newsletter(
        id=row.id,
        slug=row.slug,
        name=row.name,
        language=row.language,
        direction=row.direction,
        time_zone=row.time_zone,
        sender=Sender(
            name=row.sender_name, address=row.sender_address, reply_to=row.reply_to
        ),
        postal_address=row.postal_address,
        purpose=row.purpose,
        list_id=row.list_id,
        template=row.template,
        theme=row.theme,
        when_empty=WhenEmpty(row.when_empty),
        own_links=OwnLinks(
            **row.own_links | {"hosts": tuple(row.own_links.get("hosts", ()))}
        ),
        desk=tuple(row.desk),
        sections=tuple(
            Section(
                id=s.id,
                slug=s.slug,
                title=s.title,
                position=s.position,
                cap=s.cap,
                thumbnails=s.thumbnails,
            )
            for s in sections
        ),
    )
