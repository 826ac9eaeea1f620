"""`articles …`: stories in, by file, address or hand, and what is in the pool."""

import sys
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import typer

from digest import bootstrap
from digest.bootstrap import Service
from digest.cli.face import CLI, face_of
from digest.cli.picture_files import picture_url
from digest.domain.articles import Article, Image
from digest.domain.calendar_text import parse_instant
from digest.domain.editions import CHANGEABLE
from digest.ingest import imports
from digest.ingest.decoding import Kind
from digest.ingest.embargo import Embargoed, set_embargo
from digest.ingest.imports import Report
from digest.storage import articles, newsletters

_LIFT = "none"
_Newsletter = Annotated[str, typer.Option(help="Whose pool.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="Stories in the pool.", no_args_is_help=True)
    group.command("import")(import_articles)
    group.command("add")(add_article)
    group.command("edit")(edit_article)
    group.command("list")(list_articles)
    group.command("show")(show_article)
    app.add_typer(group, name="articles")


def import_articles(
    ctx: typer.Context,
    *,
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE…", help="Files, web addresses, or - for standard input."
        ),
    ],
    kind: Annotated[Kind, typer.Option(help="How to read them.")] = Kind.AUTO,
    url: Annotated[
        str | None, typer.Option(help="The address of a story given as a file.")
    ] = None,
    section: Annotated[
        str | None, typer.Option(help="Put the stories into this section.")
    ] = None,
    source: Annotated[
        str,
        typer.Option(metavar="NAME", help="The publication; default: what they say."),
    ] = "",
    newsletter: _Newsletter = "weekly",
) -> int:
    """Import stories: pasted page text, web pages, feeds, WordPress answers."""
    face = face_of(ctx)
    service = face.service()
    report = imports.import_sources(
        service.db,
        newsletter=newsletter,
        inputs=sources,
        kind=kind,
        url=url,
        section=section,
        source=source,
        fetcher=bootstrap.make_fetcher(service.settings),
        actor=CLI,
        now=service.now(),
        stdin=sys.stdin.buffer.read,
    )
    face.show(report_document(report), _report_lines(report))
    for rejected in report.rejected:
        face.say(f"error: {rejected.source}: {rejected.reason}")
    return 1 if report.rejected and not report.accepted else 0


def add_article(
    ctx: typer.Context,
    *,
    title: Annotated[str, typer.Option(help="The headline.")],
    url: Annotated[str, typer.Option(help="Where it can be read.")],
    standfirst: Annotated[str, typer.Option(help="One or two sentences.")],
    section: Annotated[
        str | None, typer.Option(help="Its section's short name: news.")
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(metavar="FILE-or-URL", help="Its picture: JPEG, PNG, GIF, WebP."),
    ] = None,
    credit: Annotated[str, typer.Option(help="Who made the picture.")] = "",
    alt: Annotated[str, typer.Option(help="What the picture shows.")] = "",
    embargo: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="No reader sees it before: 2026-11-29 18:00, the newsletter's time.",
        ),
    ] = None,
    newsletter: _Newsletter = "weekly",
) -> None:
    """Add a story typed by hand, dated today."""
    face = face_of(ctx)
    service = face.service()
    with service.db.read() as tx:
        zone = newsletters.get(tx, newsletter).time_zone
    stored = imports.add_by_hand(
        service.db,
        newsletter=newsletter,
        title=title,
        url=url,
        standfirst=standfirst,
        section=section,
        image=Image(
            url=picture_url(service, image) if image else None,
            credit=credit,
            alt=alt,
        ),
        embargo=parse_instant(embargo, zone=zone) if embargo else None,
        actor=CLI,
        now=service.now(),
    )
    article = stored.article
    face.show(
        article_document(article) | {"outcome": str(stored.outcome)},
        f"{stored.outcome}: {_line(article)}",
    )


def edit_article(
    ctx: typer.Context,
    *,
    article_id: Annotated[int, typer.Argument(metavar="ID", help="Its number.")],
    embargo: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="No reader sees it before: 2026-11-29 18:00, the newsletter's time, "
            "or ISO; none: lift it.",
        ),
    ],
) -> None:
    """Put a story under embargo, or lift it; its source changes that no more."""
    face = face_of(ctx)
    service = face.service()
    with service.db.read() as tx:
        owner = newsletters.get_by_id(tx, articles.get(tx, article_id).newsletter_id)
    until = None
    if embargo.strip().casefold() != _LIFT:
        until = parse_instant(embargo, zone=owner.time_zone)
    done = set_embargo(
        service.db, article_id=article_id, until=until, actor=CLI, now=service.now()
    )
    carriers = [{"id": c.edition_id, "state": c.state} for c in done.carriers]
    document = article_document(done.article) | {
        "copies": done.copies,
        "editions": carriers,
    }
    face.show(document, _embargo_lines(done, service))


def _embargo_lines(done: Embargoed, service: Service) -> Iterator[str]:
    yield _line(done.article)
    if done.copies:
        copies = ", ".join(map(str, done.copies))
        yield f"It holds for the same story in other newsletters, too: {copies}."
    if not done.article.is_embargoed(service.now()):
        return
    for carrier in done.carriers:
        number, state = carrier.edition_id, carrier.state
        if state in CHANGEABLE:
            yield f"Edition {number} ({state}) carries it and is not released before."
        else:
            yield (
                f"Edition {number} is {state} with it: its page and the feeds show it "
                "from then on; letters cannot be called back."
            )


def list_articles(
    ctx: typer.Context,
    *,
    newsletter: Annotated[
        str | None, typer.Option(help="Of this newsletter only.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 50,
    after: Annotated[int | None, typer.Option(help="The last page's `next`.")] = None,
) -> None:
    """List the stories in the pool, the last imported first."""
    face = face_of(ctx)
    with face.service().db.read() as tx:
        owner = newsletters.get(tx, newsletter).id if newsletter else None
        found = articles.list_page(tx, owner, after, limit + 1)
    items = [article_document(article) for article in found]
    lines = [_line(article) for article in found]
    face.show_page(items, lines, limit=limit, none="No stories yet.")


def show_article(
    ctx: typer.Context,
    *,
    article_id: Annotated[int, typer.Argument(metavar="ID", help="Its number.")],
) -> None:
    """Show one story in full."""
    face = face_of(ctx)
    with face.service().db.read() as tx:
        article = articles.get(tx, article_id)
    face.show(article_document(article), _full(article))


def article_document(article: Article) -> dict[str, Any]:
    """Return ARTICLE as the interface promises it."""
    return {
        "id": article.id,
        "title": article.title,
        "url": article.url,
        "published_on": article.published_on,
        "author": article.author,
        "section": article.section,
        "standfirst": article.standfirst,
        "image": {
            "url": article.image.url,
            "credit": article.image.credit,
            "alt": article.image.alt,
        },
        "paragraphs": article.paragraphs,
        "source": article.source,
        "word_count": article.word_count,
        "language": article.language,
        "categories": article.categories,
        "featured": article.featured,
        "flags": article.flags,
        "embargo_until": article.embargo_until,
    }


def report_document(report: Report) -> dict[str, Any]:
    """Return what an import did, as JSON has it."""
    return {
        "imported": [article_document(a) for a in report.imported],
        "updated": [article_document(a) for a in report.updated],
        "unchanged": [article_document(a) for a in report.unchanged],
        "rejected": [{"source": r.source, "reason": r.reason} for r in report.rejected],
    }


def _report_lines(report: Report) -> Iterator[str]:
    for word, found in (("imported", report.imported), ("updated", report.updated)):
        yield from (f"{word}: {_line(a)}" for a in found)
    yield (
        f"{len(report.imported)} imported, {len(report.updated)} updated,"
        f" {len(report.unchanged)} unchanged, {len(report.rejected)} rejected."
    )


def _line(article: Article) -> str:
    day = article.published_on.isoformat() if article.published_on else "no date"
    until = article.embargo_until
    marks = [*article.flags]
    if until is not None:
        marks.append(f"embargo until {until:%Y-%m-%d %H:%M} UTC")
    flags = f"  [{', '.join(marks)}]" if marks else ""
    return f"{article.id:>5}  {day:<10}  {article.section or '-':<10}  " + (
        article.title + flags
    )


def _full(article: Article) -> Iterable[str]:
    picture = " · ".join(filter(None, (article.image.url, article.image.credit)))
    until = article.embargo_until
    facts = {
        "Published": article.published_on,
        "Author": article.author,
        "Section": article.section,
        "Source": article.source,
        "Address": article.url,
        "Picture": picture,
        "Flags": ", ".join(article.flags),
        "Embargo": until and f"until {until:%Y-%m-%d %H:%M} UTC",
    }
    yield article.title
    yield from (f"{name + ':':<11}{value}" for name, value in facts.items() if value)
    body = article.paragraphs
    repeated = body[:1] == (article.standfirst,)  # proposed from the first paragraph
    for text in body if repeated else (article.standfirst, *body):
        yield from ("", text)
