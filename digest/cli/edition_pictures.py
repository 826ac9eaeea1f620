"""`editions pictures`: fetch what an edition's stories still lack."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import typer

from digest import bootstrap
from digest.bootstrap import Service
from digest.cli.edition_changes import EditionId
from digest.cli.face import CLI, Face, counted, face_of
from digest.compose import pictures
from digest.compose.pictures import StoryPicture


def picture_edition(
    ctx: typer.Context,
    edition: EditionId,
) -> None:
    """Fetch the pictures that an issue still lacks, and say which cannot be had."""
    face = face_of(ctx)
    found = gather(face, face.service(), edition)
    items = [asdict(each) for each in found]
    face.show({"items": items, "next": None}, [*_lines(found), _total(found)])


def gather(
    face: Face, service: Service, edition_id: int, *, again: bool = True
) -> list[StoryPicture]:
    """Fetch an edition's missing pictures, with a progress bar.

    Args:
        face: Where progress is shown.
        service: The installation.
        edition_id: The edition.
        again: Also try what failed before.
    """
    with face.progress("Pictures") as bar:
        return pictures.gather(
            service.db,
            edition_id=edition_id,
            fetcher=bootstrap.make_fetcher(service.settings, limits=pictures.LIMITS),
            templates=service.templates,
            site=service.site,
            actor=CLI,
            now=service.now(),
            again=again,
            tell=lambda done, total: bar.update(
                bar.task_ids[0], completed=done, total=total
            ),
        )


def notes_on(found: Sequence[StoryPicture]) -> list[str]:
    """Say what failed, each in a line."""
    return [
        f"No picture for article {each.article_id}: {each.error}"
        for each in found
        if each.error and each.picture is None
    ]


def _lines(found: Sequence[StoryPicture]) -> Iterator[str]:
    for each in found:
        if each.picture is not None:
            large = each.picture.large
            what = f"{large.width} × {large.height} {large.kind}"
        else:
            what = each.error or "none"
        yield f"{each.article_id:>5}  {what}" + (f"  {each.url}" if each.url else "")


def _total(found: Sequence[StoryPicture]) -> str:
    there = sum(1 for each in found if each.picture)
    lacking = sum(1 for each in found if each.url and not each.picture)
    return f"{counted(there, 'picture')}; {lacking} cannot be had."
