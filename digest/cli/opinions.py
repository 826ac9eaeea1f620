"""`opinions`: what readers thought of editions, and why they left."""

from datetime import timedelta
from typing import Annotated, Any

import typer

from digest.cli.face import face_of
from digest.domain.opinions import Answer, LeavingReason
from digest.storage import newsletters, opinions
from digest.storage.opinions import Opinion

_ANSWERS = {
    Answer.USEFUL: "useful",
    Answer.FINE: "fine",
    Answer.NOT_FOR_ME: "not for me",
}
_REASONS = {
    LeavingReason.TOO_MUCH: "it was too much",
    LeavingReason.NOT_FOR_ME: "the stories were not for them",
    LeavingReason.ELSEWHERE: "they read the stories elsewhere",
    LeavingReason.UNASKED: "they never signed up, they say",
    LeavingReason.OTHER: "something else",
}


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="What readers say, without names.", no_args_is_help=True)
    group.command("list")(list_opinions)
    group.command("leaving")(count_reasons)
    app.add_typer(group, name="opinions")


def list_opinions(
    ctx: typer.Context,
    *,
    edition: Annotated[int | None, typer.Option(help="Only about this edition")] = None,
    words: Annotated[
        bool, typer.Option("--words", help="Only answers with words")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many")] = 100,
    after: Annotated[int, typer.Option(help="The cursor `next`")] = 0,
) -> None:
    """List the answers to "How was this edition?", the latest first."""
    face = face_of(ctx)
    with face.service().db.read() as tx:
        found = opinions.list_page(
            tx, edition_id=edition, only_words=words, after=after, limit=limit + 1
        )
    face.show_page(
        [_document(one) for one in found],
        [_line(one) for one in found],
        limit=limit,
        none="None.",
    )


def count_reasons(
    ctx: typer.Context,
    *,
    newsletter: Annotated[str, typer.Option(help="Its name")] = "weekly",
    days: Annotated[int, typer.Option(min=1, help="Of the last so many days")] = 90,
) -> None:
    """Count why readers left; most say nothing."""
    face = face_of(ctx)
    service = face.service()
    since = (service.now() - timedelta(days=days)).date()
    with service.db.read() as tx:
        found = newsletters.get(tx, newsletter)
        counts = opinions.count_reasons(tx, found.id, since=since)
    face.show(
        {"newsletter": newsletter, "days": days, "reasons": dict(counts)},
        [f"{count:>6}  {_REASONS[reason]}" for reason, count in counts.items()],
    )


def _document(one: Opinion) -> dict[str, Any]:
    return {
        "id": one.id,
        "edition": one.edition_id,
        "newsletter": one.newsletter,
        "issue_date": one.issue_date,
        "answer": one.answer,
        "words": one.words,
        "at": one.at,
    }


def _line(one: Opinion) -> str:
    said = f"{one.newsletter} {one.issue_date}  {_ANSWERS[one.answer]:<10}"
    return f"{said}  {one.words}".rstrip()
