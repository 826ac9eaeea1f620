"""`deliveries`: an edition's letters one by one, and those in doubt."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from digest.bootstrap import Service
from digest.cli.edition_changes import EditionId
from digest.cli.edition_text import letters
from digest.cli.face import CLI, face_of
from digest.domain.deliveries import LetterKind, message_id
from digest.domain.states import DeliveryState
from digest.send import steering
from digest.storage import deliveries, editions
from digest.storage.deliveries import Listed


class Settlement(StrEnum):
    """What becomes of letters in doubt."""

    RESEND = "resend"  # once more, with the same Message-ID and bytes
    SENT = "sent"  # they are taken as sent


_DONE = {
    Settlement.RESEND: ("waits to be sent again", "wait to be sent again"),
    Settlement.SENT: ("counts as sent", "count as sent"),
}


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="An edition's letters.", no_args_is_help=True)
    group.command("list")(list_deliveries)
    group.command("settle")(settle_deliveries)
    app.add_typer(group, name="deliveries")


def list_deliveries(
    ctx: typer.Context,
    edition: EditionId,
    *,
    state: Annotated[
        DeliveryState | None, typer.Option(help="Only those in this state")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many")] = 100,
    after: Annotated[int, typer.Option(help="The cursor `next`")] = 0,
) -> None:
    """List the letters of an edition."""
    face = face_of(ctx)
    service = face.service()
    with service.db.read() as tx:
        found = editions.get(tx, edition)
        domain = (found.frozen or {}).get("mail_domain", service.site.mail_domain)
        rows = deliveries.list_page(
            tx, edition, state=state, after=after, limit=limit + 1
        )
    documents = [_document(row, edition, domain, service) for row in rows]
    lines = [_line(document) for document in documents]
    face.show_page(documents, lines, limit=limit, none="None.")


def settle_deliveries(
    ctx: typer.Context,
    edition: EditionId,
    *,
    uncertain: Annotated[
        Settlement, typer.Option(help="Send those in doubt again, or take them as sent")
    ],
) -> None:
    """Decide about letters whose answer was lost."""
    face = face_of(ctx)
    service = face.service()
    count = steering.settle_uncertain(
        service.db,
        edition_id=edition,
        choice=uncertain.value,
        actor=CLI,
        now=service.now(),
    )
    verbs = _DONE[uncertain]
    face.show({"settled": count, "to": uncertain}, f"{letters(count, *verbs)}.")


def _document(
    row: Listed, edition: int, domain: str, service: Service
) -> dict[str, Any]:
    name = message_id(
        LetterKind.DELIVERY,
        row.id,
        group=edition,
        key=service.secrets.address_key,
        domain=domain,
    )
    return {**row._asdict(), "message_id": name}


def _line(document: dict[str, Any]) -> str:
    reason = document["reason"] or document["smtp_text"] or ""
    code = document["smtp_code"] or ""
    return (
        f"{document['id']:>8}  {document['state']:<11} {document['attempts']:>2}  "
        f"{document['address'] or '(erased)'}  {code} {reason}".rstrip()
    )
