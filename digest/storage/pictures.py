"""Pictures by their content, and what became of the addresses they came from.

The bytes are rows, so that every machine of an installation serves all of them.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, exists, or_, select, text, update

from digest.domain.pictures import Picture, PictureFile, PictureKind
from digest.domain.states import EditionState
from digest.storage import tables
from digest.storage.engine import Tx
from digest.storage.insertion import insert_once

_p, _s = tables.pictures.c, tables.picture_sources.c
_small, _large = (
    tables.pictures.alias("small_file"),
    tables.pictures.alias("large_file"),
)
_FILE = ("hash", "kind", "width", "height")


@dataclass(frozen=True, kw_only=True)
class Known:
    """What became of the picture at one address.

    Attributes:
        picture: Our files of it; None where it could not be had.
        error: Why not; empty where it could.
    """

    picture: Picture | None
    error: str


def hold(tx: Tx) -> None:
    """Keep what is there until the transaction ends: a sweep waits for it.

    Without it a file that this transaction found could be gone when a story or an
    address is to refer to it. On SQLite writers follow each other anyhow.
    """
    _lock(tx, "ROW EXCLUSIVE")


def put(tx: Tx, file: PictureFile, body: bytes, *, now: datetime) -> None:
    """Store a file; one that is there already counts as used again."""
    hold(tx)
    values = {
        "hash": file.hash,
        "kind": file.kind,
        "width": file.width,
        "height": file.height,
        "body": body,
        "used_at": now,
    }
    if not insert_once(tx, tables.pictures, values):
        _touch(tx, [file.hash], now)


def load(tx: Tx, file_hash: str, kind: PictureKind) -> bytes | None:
    """Load a file's octets; None where there is none of that name."""
    query = select(_p.body).where(_p.hash == file_hash, _p.kind == kind)
    return tx.execute(query).scalar_one_or_none()


def is_there(tx: Tx, file_hash: str, kind: PictureKind) -> bool:
    """Tell whether there is a file of that name, without loading it."""
    query = select(_p.hash).where(_p.hash == file_hash, _p.kind == kind)
    return tx.execute(query).first() is not None


def remember(
    tx: Tx,
    url: str,
    *,
    now: datetime,
    picture: Picture | None = None,
    error: str = "",
    uploaded: bool = False,
) -> None:
    """Keep what became of the picture at an address.

    Args:
        tx: A writing transaction.
        url: The address.
        now: When it was tried.
        picture: Our files, stored before; None where there are none.
        error: Why there are none.
        uploaded: It was given as a file and cannot be fetched again.
    """
    found = {
        "small": picture and picture.small.hash,
        "large": picture and picture.large.hash,
        "error": error or None,
        "uploaded": uploaded,
        "tried_at": now,
    }
    values = found | {"key": _key(url), "url": url}
    if not insert_once(tx, tables.picture_sources, values):
        tx.execute(
            update(tables.picture_sources).where(_s.key == _key(url)).values(**found)
        )


def recall(tx: Tx, urls: Iterable[str]) -> dict[str, Known]:
    """Find what became of addresses; those never tried are missing in the answer."""
    keys = {_key(url) for url in urls}
    files = [
        file.c[name].label(f"{file.name}_{name}")
        for file in (_small, _large)
        for name in _FILE
    ]
    # One statement: between two the files could go.
    rows = tx.execute(
        select(_s.url, _s.error, *files)
        .outerjoin(_small, _small.c.hash == _s.small)
        .outerjoin(_large, _large.c.hash == _s.large)
        .where(_s.key.in_(sorted(keys)))
    )
    return {row.url: _known(row) for row in rows}


def use(tx: Tx, pictures: Sequence[Picture], *, now: datetime) -> None:
    """Mark files as used, so that a sweep that runs just now leaves them."""
    _touch(tx, [f.hash for p in pictures for f in (p.small, p.large)], now)


def sweep(tx: Tx, *, before: datetime) -> int:
    """Remove files that were last used before an instant and that nobody needs.

    What an edition shows is kept for ever, unless it was cancelled unreleased. What
    became of an address is forgotten; an upload is not while an article names it.

    Args:
        tx: A writing transaction of its own: two that hold files cannot both sweep.
        before: The instant.

    Returns:
        How many files went.
    """
    _lock(tx, "SHARE ROW EXCLUSIVE")
    editions, stories = tables.editions.c, tables.stories.c
    unseen = select(editions.id).where(
        editions.state == EditionState.CANCELLED,
        editions.released_at.is_(None),
        editions.updated_at < before,
    )
    tx.execute(
        update(tables.stories)
        .where(stories.picture_large.is_not(None), stories.edition_id.in_(unseen))
        .values(picture_small=None, picture_large=None)
    )
    named = exists().where(tables.articles.c.image_url == _s.url)
    tx.execute(
        delete(tables.picture_sources).where(
            _s.tried_at < before, or_(_s.uploaded.is_(False), ~named)
        )
    )
    shown = exists().where(
        or_(stories.picture_small == _p.hash, stories.picture_large == _p.hash)
    )
    known = exists().where(or_(_s.small == _p.hash, _s.large == _p.hash))
    gone = tx.execute(
        delete(tables.pictures).where(_p.used_at < before, ~shown, ~known)
    )
    return gone.rowcount


def _key(url: str) -> str:
    return hashlib.sha256(url.encode("utf-8")).hexdigest()


def _touch(tx: Tx, hashes: Sequence[str], now: datetime) -> None:
    tx.execute(
        update(tables.pictures)
        .where(_p.hash.in_(hashes), _p.used_at < now)
        .values(used_at=now)
    )


def _lock(tx: Tx, mode: str) -> None:
    if tx.dialect.name == "postgresql":
        tx.execute(text(f"LOCK TABLE pictures IN {mode} MODE"))


def _known(row: Row[Any]) -> Known:
    small, large = _file(row, _small.name), _file(row, _large.name)
    picture = Picture(small=small, large=large) if small and large else None
    return Known(picture=picture, error=row.error or "")


def _file(row: Row[Any], size: str) -> PictureFile | None:
    found = {name: row._mapping[f"{size}_{name}"] for name in _FILE}  # noqa: SLF001 - SQLAlchemy's public name
    if found["hash"] is None:
        return None
    return PictureFile(**found | {"kind": PictureKind(found["kind"])})
