"""Read a table of text from a file of unknown making: encoding, delimiter, bad lines.

Memory stays flat whatever the file: lines and records have limits, and what breaks one
is reported while the rest goes in.
"""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from digest.domain.errors import RefusedError

_SAMPLE = 65_536
_CHUNK = 1 << 20
_LINE_LIMIT = 100_000  # characters
_RECORD_LINES = 100  # a quoted cell that spans more was never closed
_DELIMITERS = ",;\t|"

_NOT_TABLES = (
    (b"PK\x03\x04", "a spreadsheet or a ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "compressed"),
    (b"\x89PNG", "a picture"),
    (b"<", "a web page or XML"),
    (b"{", "JSON"),
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\x00"))
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One row.

    Attributes:
        line: Where it begins, from 1.
        cells: As written; empty where `fault` is set.
        fault: Why it could not be read, or empty.
    """

    line: int
    cells: list[str]
    fault: str = ""


class CsvFile:
    """A file of rows, read once from its beginning to its end.

    Attributes:
        path: Where it is.
        octets: Its size.

    Raises:
        RefusedError: It is empty or no table.
        OSError: It cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.octets = path.stat().st_size
        with path.open("rb") as file:
            sample = file.read(_SAMPLE)
        _refuse_other_kinds(path, sample)
        self._encoding, self._errors = _find_encoding(path, sample)

    def records(
        self, progress: Callable[[int], None] | None = None
    ) -> Iterator[Record]:
        """Yield every row that is not blank, telling how many octets were read."""
        with (
            self.path.open("rb") as raw,
            io.TextIOWrapper(
                raw, encoding=self._encoding, errors=self._errors, newline=""
            ) as file,
        ):
            feed = _Feed(file)
            rows = _rows(csv.reader(feed, delimiter=_find_delimiter(feed)), feed)
            for number, record in enumerate(rows):
                if progress is not None and number % 1000 == 0:
                    progress(raw.tell())
                if record.fault or any(record.cells):
                    yield record
        if progress is not None:
            progress(self.octets)


class _LongLineError(Exception):
    """A line is longer than any row of a list of readers."""


class _UnclosedError(Exception):
    """A quoted cell does not end."""


class _Feed:
    """The lines the csv module asks for; those of a broken record come again."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self.line = 1  # where the present record begins
        self.is_ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self._taken) == _RECORD_LINES:
            raise _UnclosedError
        line = self._read()
        if not line:
            self.is_ended = True
            raise StopIteration
        self._taken.append(line)
        if len(line) >= _LINE_LIMIT and not _is_whole(line):
            raise _LongLineError if len(self._taken) == 1 else _UnclosedError
        return line

    def _read(self) -> str:
        if self._again:
            return self._again.popleft()
        return self._file.readline(_LINE_LIMIT)

    def begin_record(self) -> None:
        """Forget the lines of the record before."""
        self.line += len(self._taken)
        self._taken.clear()

    def give_again(self) -> None:
        """Keep only the first line of a record that cannot be read."""
        self._again.extendleft(reversed(self._taken[1:]))
        del self._taken[1:]
        self.is_ended = False

    def skip_line(self) -> None:
        """Read past the rest of a line that is too long."""
        piece = self._read()
        while piece and not _is_whole(piece):
            piece = self._read()

    def peek(self) -> str:
        """Look at the next line."""
        line = self._read()
        self._again.appendleft(line)
        return line


def _is_whole(line: str) -> bool:
    return line.endswith(("\n", "\r"))


def _rows(reader: Iterator[list[str]], feed: _Feed) -> Iterator[Record]:
    while True:
        feed.begin_record()
        fault, cells = "", list[str]()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _LongLineError:
            feed.skip_line()
            fault = f"the line is longer than {_LINE_LIMIT} characters"
        except (csv.Error, _UnclosedError):
            fault = "a quoted cell is not closed"
        if feed.is_ended and not fault:  # it asked for more in the middle of a cell
            fault = "a quoted cell is not closed"
        if fault:
            feed.give_again()
            cells = []
        yield Record(line=feed.line, cells=cells, fault=fault)


def _find_delimiter(feed: _Feed) -> str:
    first = feed.peek()
    if re.fullmatch(r"sep=.[\r\n]*", first):  # Excel's own hint
        next(feed)
        return first[4]
    bare = _QUOTED.sub("", first)
    best = max(_DELIMITERS, key=bare.count)
    return best if best in bare else ","


def _refuse_other_kinds(path: Path, sample: bytes) -> None:
    start = sample.removeprefix(codecs.BOM_UTF8).lstrip()
    if not start:
        raise RefusedError(
            f"{path.name} is empty.", "Export the list again and give that file."
        )
    for mark, kind in _NOT_TABLES:
        if start.startswith(mark):
            raise _not_a_table(path, kind)
    if len(sample.translate(None, _CONTROLS)) < len(sample) * 0.98:
        raise _not_a_table(path, "binary")


def _find_encoding(path: Path, sample: bytes) -> tuple[str, str]:
    """Return the encoding and how to treat what it cannot decode."""
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "replace"
    zeros = sample.count(0)
    if zeros > len(sample) / 4:  # ASCII in two octets each
        return ("utf-16-le" if sample[1::2].count(0) > zeros / 2 else "utf-16-be"), (
            "replace"
        )
    if zeros > len(sample) / 100:
        raise _not_a_table(path, "binary")
    good, bad = _count_utf8(path)
    # A few damaged characters do not make a UTF-8 file a Windows one.
    return ("cp1252", "replace") if bad > good else ("utf-8-sig", "replace")


def _count_utf8(path: Path) -> tuple[int, int]:
    """Count the characters beyond ASCII that are, and are not, well-formed UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    beyond = bad = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            text = decoder.decode(chunk)
            beyond += len(text) - len(text.encode("ascii", "ignore"))
            bad += text.count("\N{REPLACEMENT CHARACTER}")
    return beyond - bad, bad


def _not_a_table(path: Path, kind: str) -> RefusedError:
    return RefusedError(
        f"{path.name} is {kind}, not a CSV file.",
        "Export the list as CSV (comma-separated values) and give that file.",
    )
