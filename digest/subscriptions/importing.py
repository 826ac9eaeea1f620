"""Import a list: every good row goes in, every bad one is named, nobody is mailed."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

from digest.domain.actor import Actor
from digest.domain.errors import RefusedError
from digest.domain.secrets import Secrets
from digest.storage import audit, newsletters
from digest.storage.engine import Database
from digest.storage.subscriber_import import staging
from digest.storage.subscriber_staging import Outcome, Staged
from digest.subscriptions.csv_file import CsvFile, Record
from digest.subscriptions.entries import Entry, EntryReader, RowError
from digest.subscriptions.presets import Layout, recognise

MOST_NAMED = 1000  # rejected rows that are kept with their reasons
_BATCH = 5000


@dataclass(frozen=True, kw_only=True)
class ImportWish:
    """What an operator asks for.

    Attributes:
        path: The file.
        newsletter: Slug of the newsletter it is for.
        consent: Words that vouch for rows without proof of their own; may be empty.
        preset: A service's name, `plain`, or `auto`.
        mapping: Field → column, before what is recognised.
        is_dry_run: Count, and change nothing.
    """

    path: Path
    newsletter: str
    consent: str = ""
    preset: str = "auto"
    mapping: Mapping[str, str] = field(default_factory=dict)
    is_dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """A row that was left out.

    Attributes:
        line: Where it begins in the file, from 1.
        reason: Why.
    """

    line: int
    reason: str


@dataclass(kw_only=True)
class ImportReport:
    """What an import did: `read` is the sum of the other four counts.

    Attributes:
        preset: Whose export it was taken for.
        read: Rows.
        added: New subscriptions.
        already: Subscribed before, or earlier in the file.
        suppressed: Must not be written to, or left.
        rejected_total: Rows left out.
        rejected: The first of them, at most `MOST_NAMED`.
        by_status: Rows by what they said of their reader.
    """

    preset: str
    read: int = 0
    added: int = 0
    already: int = 0
    suppressed: int = 0
    rejected_total: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    by_status: Counter[str] = field(default_factory=Counter)

    def reject(self, line: int, reason: str) -> None:
        """Note a row that is left out."""
        self.rejected_total += 1
        if len(self.rejected) < MOST_NAMED:
            self.rejected.append(Rejection(line=line, reason=reason))


def import_file(
    db: Database,
    wish: ImportWish,
    *,
    secrets: Secrets,
    actor: Actor,
    now: datetime,
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Bring a file's readers and suppressions in, all of it or nothing.

    A reader becomes active where the file proves the consent or the wish vouches for
    it. Who left, bounced or complained there is suppressed here, whatever else the
    file or the database says. Nobody is mailed.

    Args:
        db: The database.
        wish: What to import, and how.
        secrets: For the hashes of addresses.
        actor: Who imports.
        now: When.
        progress: Told how many octets of the file were read.

    Raises:
        RefusedError: The file is empty or no table.
        UsageError: A preset, field or column is unknown.
        NotFoundError: There is no such newsletter.
        OSError: The file cannot be read.
    """
    with db.read() as tx:
        newsletter = newsletters.get(tx, wish.newsletter)
    first, records = _open(wish.path, progress)
    layout = recognise(first.cells, preset=wish.preset, mapping=wish.mapping)
    report = ImportReport(preset=layout.preset.name)
    reader = EntryReader(
        layout,
        file_name=wish.path.name,
        newsletter=newsletter,
        has_consent=bool(wish.consent.strip()),
        now=now,
    )
    listed = records if layout.has_header else chain([first], records)
    rows = _Stager(wish, layout, secrets).stage(_read(listed, reader, report))
    with staging(db) as staged:
        while batch := list(islice(rows, _BATCH)):
            staged.add(batch)
        if wish.is_dry_run:
            _count(report, staged.foresee(newsletter_id=newsletter.id))
            return report
        tx, counts = staged.merge(newsletter_id=newsletter.id, actor=actor, now=now)
        _count(report, counts)
        audit.record(
            tx,
            actor=actor,
            action="subscribers.imported",
            subject=("newsletter", newsletter.id),
            now=now,
            detail=_sum_up(report),
        )
    return report


def _open(
    path: Path, progress: Callable[[int], None] | None
) -> tuple[Record, Iterator[Record]]:
    """Return the first row and the rest."""
    records = CsvFile(path).records(progress)
    first = next(records, None)
    if first is None or first.fault:
        fault = "it has no rows" if first is None else first.fault
        raise RefusedError(
            f"{path.name} cannot be read: {fault}.",
            "Export the list as CSV and give that file.",
        )
    return first, records


def _read(
    records: Iterable[Record], reader: EntryReader, report: ImportReport
) -> Iterator[tuple[int, Entry]]:
    for record in records:
        report.read += 1
        if record.fault:
            report.reject(record.line, record.fault)
            continue
        try:
            entry = reader.read(record.cells)
        except RowError as error:
            report.reject(record.line, str(error))
            continue
        report.by_status[entry.status] += 1
        yield record.line, entry


class _Stager:
    """Turns entries into rows of the staging table."""

    def __init__(self, wish: ImportWish, layout: Layout, secrets: Secrets) -> None:
        self._hash = secrets.hash_address
        self._consent = wish.consent.strip()
        self._source = f"{wish.path.name} ({layout.preset.name})"

    def stage(self, entries: Iterator[tuple[int, Entry]]) -> Iterator[Staged]:
        for line, entry in entries:
            key = entry.address.key
            source = f"{self._source}: {entry.source}" if entry.source else self._source
            yield Staged(
                line=line,
                address_key=key,
                address=entry.address.address,
                domain=entry.address.domain,
                address_hash=self._hash(key),
                name=entry.name,
                state=entry.state,
                at=entry.at,
                network=entry.network,
                source=source,
                wording=self._word(entry),
                sections=entry.sections,
                format=entry.format,
                reason=entry.reason,
                detail=source if entry.reason else "",
            )

    def _word(self, entry: Entry) -> str:
        """Say what was agreed to: the operator's words, and the file's own proof."""
        if entry.reason is not None:
            return ""
        said = [self._consent] if self._consent else []
        if entry.proof:
            said.append(f"The list states: {entry.proof}")
        return "\n".join(said) or f"The list says: {entry.status}"


def _count(report: ImportReport, counts: Mapping[Outcome, int]) -> None:
    report.added = counts[Outcome.ADDED]
    report.already = counts[Outcome.ALREADY]
    report.suppressed = counts[Outcome.SUPPRESSED]


def _sum_up(report: ImportReport) -> dict[str, object]:
    return {
        "preset": report.preset,
        "read": report.read,
        "added": report.added,
        "already": report.already,
        "suppressed": report.suppressed,
        "rejected": report.rejected_total,
        "by_status": dict(report.by_status),
    }
