"""`inbound`: stored messages taken in; `quarantine`: what waits for an eye."""

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from digest.cli.face import CLI, counted, face_of
from digest.domain.errors import DigestError, UsageError
from digest.domain.own_mail import MessageKind
from digest.inbound import intake
from digest.inbound.intake import Reply
from digest.storage import audit, inbox
from digest.storage.inbox import Kept

_SHOWN = 4000
Number = Annotated[int, typer.Argument(metavar="ID", help="Its number in the list")]
Kind = Annotated[MessageKind | None, typer.Option(help="Only these")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("inbound")(take_files)
    group = typer.Typer(
        help="Messages that wait for an operator's eye.", no_args_is_help=True
    )
    group.command("list")(list_kept)
    group.command("show")(show)
    group.command("export")(export)
    group.command("delete")(delete)
    app.add_typer(group, name="quarantine")


def take_files(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Raw messages")],
    *,
    rcpt: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address of ours they came to")
    ],
    sender: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The envelope sender; default: null")
    ] = "",
) -> None:
    """Take stored messages in as the listener would, and act upon them."""
    face = face_of(ctx)
    service = face.service()
    items, lines, failed = [], [], 0
    for path in files:
        raw = path.read_bytes()
        reply, kept = intake.take_and_tell(
            service, raw=raw, sender=sender, recipient=rcpt
        )
        items.append(_document(path, reply, kept))
        lines.append(
            f"{path}: {reply}" + (f" ({kept.kind}: {kept.why})" if kept else "")
        )
        failed += not reply.is_kept
    if failed == len(files):
        raise DigestError(f"{lines[0]}.", "Check --rcpt and the settings of inbound.")
    face.show({"items": items, "next": None}, lines)


def list_kept(
    ctx: typer.Context,
    *,
    kind: Kind = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many")] = 50,
    after: Annotated[int, typer.Option(min=0, help="The page's `next`")] = 0,
) -> None:
    """List what is kept, oldest first."""
    face = face_of(ctx)
    with face.service().db.read() as tx:
        found = inbox.list_quarantined(tx, kind=kind, after=after, limit=limit + 1)
    lines = [
        f"{each.id:>8}  {each.received_at.date()}  {each.kind or '':<12}  "
        f"{each.recipient}  from {each.sender or '<>'}  {each.why}"
        for each in found
    ]
    items = [asdict(each) for each in found]
    face.show_page(items, lines, limit=limit, none="The quarantine is empty.")


def show(ctx: typer.Context, number: Number) -> None:
    """Show one message: its envelope, why it is kept, and how it begins."""
    face = face_of(ctx)
    with face.service().db.read() as tx:
        kept, raw = inbox.look(tx, number)
    start = raw[:_SHOWN].decode("utf-8", "replace").replace("\r\n", "\n")
    document = {**asdict(kept), "raw": start, "truncated": len(raw) > _SHOWN}
    lines = [
        f"{kept.recipient} from {kept.sender or '<>'}, {kept.received_at.isoformat()}",
        f"{kept.state}, {kept.kind or 'not read'}: {kept.why}",
        f"{kept.octets:,} octets:",
        "",
        *map(_plain, start.split("\n")),
    ]
    face.show(document, lines)


def export(
    ctx: typer.Context,
    number: Number,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it")],
) -> None:
    """Write one message to a file, octet for octet."""
    face = face_of(ctx)
    with face.service().db.read() as tx:
        kept, raw = inbox.look(tx, number)
    with file.open("xb") as out:
        out.write(raw)
    document = {"id": kept.id, "file": file, "octets": kept.octets}
    face.show(document, f"Written: {file}, {kept.octets:,} octets.")


def delete(
    ctx: typer.Context,
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="ID…", help="Their numbers")
    ] = None,
    *,
    older_than: Annotated[
        int | None, typer.Option(metavar="DAYS", min=0, help="All that came before")
    ] = None,
    kind: Kind = None,
) -> None:
    """Delete messages for good: by number, or all that are older than some days."""
    face = face_of(ctx)
    if bool(numbers) == (older_than is not None):
        raise UsageError(
            "Name the messages, or give --older-than DAYS.",
            "Example: digest quarantine delete --older-than 90",
        )
    service = face.service()
    now = service.now()
    with service.db.write() as tx:
        wanted = numbers or inbox.quarantined_before(
            tx, kind=kind, before=now - timedelta(days=older_than or 0)
        )
        gone = list(inbox.delete_quarantined(tx, wanted))
        audit.record(
            tx,
            actor=CLI,
            action="quarantine.deleted",
            subject=("inbox", gone[0] if len(gone) == 1 else None),
            now=now,
            detail={"messages": len(gone)},
        )
    face.show({"deleted": gone}, f"Deleted: {counted(len(gone), 'message')}.")


def _document(path: Path, reply: Reply, kept: Kept | None) -> dict[str, Any]:
    return {
        "file": path,
        "code": reply.code,
        "text": reply.text,
        "id": kept.id if kept else None,
        "state": kept.state if kept else None,
        "kind": kept.kind if kept else None,
        "why": kept.why if kept else "",
    }


def _plain(line: str) -> str:
    """Leave out what steers a terminal."""
    return "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in line)
