"""The stories of an edition, each with the files of its picture."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, delete, insert, select

from digest.domain.articles import Image
from digest.domain.editions import Story
from digest.domain.pictures import Picture, PictureFile, PictureKind
from digest.storage import tables
from digest.storage.engine import Tx

_FILE = ("hash", "kind", "width", "height")
_small, _large = tables.pictures.alias("small"), tables.pictures.alias("large")


def load(tx: Tx, edition_id: int) -> list[Story]:
    """Load an edition's stories, the lead first."""
    c = tables.stories.c
    files = [
        file.c[name].label(f"{file.name}_{name}")
        for file in (_small, _large)
        for name in _FILE
    ]
    query = (
        select(tables.stories, *files)
        .outerjoin(_small, _small.c.hash == c.picture_small)
        .outerjoin(_large, _large.c.hash == c.picture_large)
        .where(c.edition_id == edition_id)
        .order_by(c.position)
    )
    return [_story(row) for row in tx.execute(query)]


def replace_all(tx: Tx, edition_id: int, stories: Sequence[Story]) -> None:
    """Let an edition carry these stories and no others."""
    c = tables.stories.c
    tx.execute(delete(tables.stories).where(c.edition_id == edition_id))
    if stories:
        tx.execute(insert(tables.stories), [_values(edition_id, s) for s in stories])


def _values(edition_id: int, story: Story) -> Mapping[str, Any]:
    values = asdict(story)
    image, picture = values.pop("image"), story.picture
    del values["id"], values["picture"]
    return values | {
        "edition_id": edition_id,
        "image_url": image["url"],
        "image_credit": image["credit"],
        "image_alt": image["alt"],
        "picture_small": picture and picture.small.hash,
        "picture_large": picture and picture.large.hash,
    }


def _story(row: Row[Any]) -> Story:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    small, large = _file(values, "small"), _file(values, "large")
    del values["picture_small"], values["picture_large"]
    values["picture"] = Picture(small=small, large=large) if small and large else None
    values["image"] = Image(
        url=values.pop("image_url"),
        credit=values.pop("image_credit"),
        alt=values.pop("image_alt"),
    )
    return Story(**values)


def _file(values: dict[str, Any], size: str) -> PictureFile | None:
    found = {name: values.pop(f"{size}_{name}") for name in _FILE}
    if found["hash"] is None:
        return None
    return PictureFile(**found | {"kind": PictureKind(found["kind"])})
