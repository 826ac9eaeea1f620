"""`sources …`: the feeds and sites stories are collected from."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from digest import bootstrap
from digest.cli.articles import report_document
from digest.cli.face import CLI, face_of
from digest.domain.articles import Draft
from digest.domain.calendar_text import parse_duration
from digest.domain.errors import UsageError
from digest.domain.sources import Source
from digest.ingest import collecting
from digest.ingest.collecting import Collected
from digest.ingest.decoding import Kind
from digest.storage import newsletters, sources


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="Where stories come from.", no_args_is_help=True)
    group.command("add")(add_source)
    group.command("list")(list_sources)
    group.command("map")(map_source)
    group.command("collect")(collect)
    app.add_typer(group, name="sources")


def add_source(
    ctx: typer.Context,
    *,
    url: Annotated[str, typer.Argument(help="A feed, or a site.")],
    kind: Annotated[Kind, typer.Option(help="What it is.")] = Kind.AUTO,
    every: Annotated[str, typer.Option(help="How often: 30m, 1h, 1d.")] = "1h",
    newsletter: Annotated[str, typer.Option(help="Whose pool.")] = "weekly",
) -> None:
    """Add a source and show its latest ten stories with guessed sections."""
    face = face_of(ctx)
    service = face.service()
    added = collecting.add_source(
        service.db,
        newsletter=newsletter,
        url=url,
        kind=kind,
        every=parse_duration(every),
        fetcher=bootstrap.make_fetcher(service.settings),
        actor=CLI,
        now=service.now(),
    )
    document = {
        "source": _document(added.source),
        "latest": [_latest(draft) for draft in added.latest],
        "unmapped": added.unmapped,
    }
    face.show(document, _added_lines(added))


def list_sources(
    ctx: typer.Context,
    *,
    newsletter: Annotated[
        str | None, typer.Option(help="Of this newsletter only.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 50,
    after: Annotated[int | None, typer.Option(help="The last page's `next`.")] = None,
) -> None:
    """List the sources, with the error of the last try where it failed."""
    face = face_of(ctx)
    with face.service().db.read() as tx:
        owner = newsletters.get(tx, newsletter).id if newsletter else None
        found = sources.list_page(tx, owner, after, limit + 1)
    items = [_document(source) for source in found]
    lines = [_line(source) for source in found]
    face.show_page(items, lines, limit=limit, none="No sources yet.")


def map_source(
    ctx: typer.Context,
    *,
    source: Annotated[str, typer.Argument(help="Its number or address.")],
    pairs: Annotated[
        list[str], typer.Argument(metavar="CATEGORY=SECTION", help="One or more.")
    ],
) -> None:
    """Say which sections a source's categories belong to."""
    face = face_of(ctx)
    service = face.service()
    mapped = collecting.map_categories(
        service.db,
        source=source,
        categories=dict(_read_pair(pair) for pair in pairs),
        actor=CLI,
        now=service.now(),
    )
    lines = [f"{name} → {slug}" for name, slug in mapped.category_map.items()]
    face.show(_document(mapped), lines)


def collect(
    ctx: typer.Context,
    *,
    newsletter: Annotated[
        str | None, typer.Option(help="Of this newsletter only.")
    ] = None,
    due: Annotated[bool, typer.Option("--due", help="Only those whose time it is.")] = (
        False
    ),
) -> int:
    """Collect new and edited stories from every source."""
    face = face_of(ctx)
    service = face.service()
    done = collecting.collect(
        service.db,
        fetcher=bootstrap.make_fetcher(service.settings),
        actor=CLI,
        now=service.now(),
        newsletter=newsletter,
        due_only=due,
    )
    document = {"items": [_collected(c) for c in done], "next": None}
    face.show(document, [line for c in done for line in _collected_lines(c)])
    for failed in (c for c in done if c.error):
        face.say(f"error: {failed.source.url}: {failed.error}")
    return 1 if done and all(c.error for c in done) else 0


def _read_pair(text: str) -> tuple[str, str]:
    category, equals, section = text.rpartition("=")
    if not equals or not category.strip() or not section.strip():
        raise UsageError(f"{text!r} maps nothing.", "Example: Politics=news")
    return category.strip(), section.strip()


def _document(source: Source) -> dict[str, Any]:
    return {
        "id": source.id,
        "url": source.url,
        "kind": source.kind,
        "title": source.title,
        "every_seconds": int(source.every.total_seconds()),
        "category_map": dict(source.category_map),
        "collected_at": source.collected_at,
        "last_error": source.last_error,
    }


def _latest(draft: Draft) -> dict[str, Any]:
    return {
        "title": draft.title,
        "url": draft.url,
        "published_on": draft.published_on,
        "section": draft.section,
        "categories": draft.categories,
    }


def _collected(collected: Collected) -> dict[str, Any]:
    return {
        "source": _document(collected.source),
        **report_document(collected.report),
        "not_modified": collected.not_modified,
        "error": collected.error or None,
        "unmapped": collected.unmapped,
    }


def _line(source: Source) -> str:
    error = f"  error: {source.last_error}" if source.last_error else ""
    return f"{source.id:>5}  {source.kind:<9}  {source.url}  {source.title}{error}"


def _added_lines(added: collecting.Added) -> Iterator[str]:
    yield f"Added: {_line(added.source).strip()}"
    for draft in added.latest:
        day = draft.published_on.isoformat() if draft.published_on else "no date"
        yield f"  {day:<10}  {draft.section or '-':<10}  {draft.title}"
    yield from _unmapped_lines(added.source, added.unmapped)


def _collected_lines(collected: Collected) -> Iterator[str]:
    name = collected.source.title or collected.source.url
    report = collected.report
    if collected.error:
        yield f"{name}: failed."
    elif collected.not_modified:
        yield f"{name}: nothing new."
    else:
        yield (
            f"{name}: {len(report.imported)} imported, {len(report.updated)} updated,"
            f" {len(report.unchanged)} unchanged, {len(report.rejected)} rejected."
        )
    yield from _unmapped_lines(collected.source, collected.unmapped)


def _unmapped_lines(source: Source, categories: Sequence[str]) -> Iterator[str]:
    if categories:
        yield f"Categories without a section: {', '.join(categories)}"
        yield f"Map them: digest sources map {source.id} CATEGORY=SECTION"
