"""The demo's pictures: bundled drawings, taken in as an editor's uploads are."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from digest.bootstrap import Service
from digest.cli.picture_files import picture_url
from digest.compose.edit import StoryWords
from digest.domain.editions import Story
from digest.domain.pictures import PictureKind
from digest.storage import pictures


def illustrate(
    service: Service,
    stories: Sequence[Story],
    drawings: Sequence[Mapping[str, str]],
    *,
    folder: Path,
    credit: str,
) -> dict[int, StoryWords]:
    """Take the drawings in.

    Args:
        service: The demo's installation.
        stories: The edition's.
        drawings: Each has a file, what it shows (`alt`), and how the headline of its
            story begins (`story`).
        folder: Where the files are.
        credit: Who made them.

    Returns:
        Article id to its picture's address and words.
    """
    found = {}
    for drawing in drawings:
        story = next(s for s in stories if s.title.startswith(drawing["story"]))
        url = picture_url(service, str(folder / drawing["file"]))
        words = StoryWords(image=url, alt=drawing["alt"], credit=credit)
        found[story.article_id] = words
    return found


def put_beside(service: Service, page: Path) -> None:
    """Write the pictures of a preview into a folder beside it, so that it shows them.

    In the letters themselves they stay addresses of the site, which nobody serves yet.
    """
    html = page.read_text(encoding="utf-8")
    folder = page.parent / "pictures"
    folder.mkdir(exist_ok=True)
    base = re.escape(f'src="{service.site.base_url}/')
    for path, name, kind in re.findall(rf"{base}(pictures/(\w+)\.(\w+))", html):
        with service.db.read() as tx:
            body = pictures.load(tx, name, PictureKind(kind))
        assert body is not None, "what a letter shows is kept"
        (page.parent / path).write_bytes(body)
    page.write_text(re.sub(f"{base}(?=pictures/)", 'src="', html), encoding="utf-8")
