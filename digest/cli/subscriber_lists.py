"""`subscribers import` and `export`: whole lists in and out."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from digest.cli.face import CLI, counted, face_of
from digest.domain.errors import UsageError
from digest.subscriptions import exporting, importing
from digest.subscriptions.importing import ImportReport, ImportWish

_SHOWN = 20


def register(group: typer.Typer) -> None:
    """Add the commands of this module."""
    group.command("import")(import_list)
    group.command("export")(export_list)


def import_list(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="The list")],
    *,
    newsletter: Annotated[str, typer.Option(help="Its name")] = "weekly",
    consent: Annotated[
        str,
        typer.Option(metavar="TEXT", help="Vouches for rows that carry no proof"),
    ] = "",
    preset: Annotated[
        str,
        typer.Option(
            help="auto, digest, plain, mailchimp, beehiiv, substack, listmonk or ghost"
        ),
    ] = "auto",
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="May be repeated"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count, and change nothing")
    ] = False,
) -> int:
    """Import readers from a CSV file; nobody is mailed.

    Rows with proof of consent become active, and so do the others with --consent.
    Rows that were unsubscribed, bounced or complained become suppressions.
    """
    face = face_of(ctx)
    service = face.service()
    wish = ImportWish(
        path=file,
        newsletter=newsletter,
        consent=consent,
        preset=preset,
        mapping=_read_mapping(mapping or []),
        is_dry_run=dry_run,
    )
    with face.progress("Reading", total=file.stat().st_size) as bar:
        report = importing.import_file(
            service.db,
            wish,
            secrets=service.secrets,
            actor=CLI,
            now=service.now(),
            progress=lambda octets: bar.update(bar.task_ids[0], completed=octets),
        )
    document = {
        "read": report.read,
        "added": report.added,
        "already": report.already,
        "suppressed": report.suppressed,
        "rejected": [{"line": r.line, "reason": r.reason} for r in report.rejected],
        "rejected_total": report.rejected_total,
        "by_status": dict(report.by_status),
        "preset": report.preset,
        "dry_run": dry_run,
    }
    face.show(document, _write_lines(report, is_dry_run=dry_run))
    return 1 if report.read and report.rejected_total == report.read else 0


def export_list(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Default: stdout")
    ] = None,
) -> None:
    """Export readers and suppressed addresses as CSV that no spreadsheet runs."""
    face = face_of(ctx)
    if file is not None:
        rows = exporting.export_file(face.service().db, file)
        face.show({"file": file, "rows": rows}, f"{counted(rows, 'row')} in {file}.")
        return
    if face.as_json:
        raise UsageError(
            "--json leaves no room for the list on stdout.", "Name a file."
        )
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:  # CR LF as written, names in any script
        reconfigure(encoding="utf-8", newline="")
    exporting.write_list(face.service().db, sys.stdout)


def _read_mapping(pairs: Sequence[str]) -> dict[str, str]:
    mapping = {}
    for pair in pairs:
        meaning, sign, column = pair.partition("=")
        if not sign:
            raise UsageError(
                f"--map {pair!r} is not FIELD=COLUMN.",
                'Example: --map address="E-mail (work)"',
            )
        mapping[meaning.strip()] = column.strip()
    return mapping


def _write_lines(report: ImportReport, *, is_dry_run: bool) -> list[str]:
    would = "would be " if is_dry_run else ""
    counts = (
        f"{counted(report.read, 'row')} read as {report.preset}: "
        f"{report.added} {would}added, "
        f"{report.already} already there, {report.suppressed} suppressed, "
        f"{report.rejected_total} rejected."
    )
    lines = [counts]
    lines += [f"  line {r.line}: {r.reason}" for r in report.rejected[:_SHOWN]]
    if report.rejected_total > _SHOWN:
        more = report.rejected_total - _SHOWN
        lines.append(f"  … and {more} more; --json names the first thousand.")
    return lines
