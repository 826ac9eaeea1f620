"""CSV files of unknown making: read whole, and told what could not be read."""

import codecs
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from digest.domain.errors import RefusedError
from digest.subscriptions.csv_file import CsvFile

Write = Callable[[bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_it(content: bytes) -> Path:
        path = tmp_path / "list.csv"
        path.write_bytes(content)
        return path

    return write_it


def rows(path: Path) -> list[list[str]]:
    return [record.cells for record in CsvFile(path).records() if not record.fault]


def faults(path: Path) -> list[tuple[int, str]]:
    return [(r.line, r.fault) for r in CsvFile(path).records() if r.fault]


TEXT = 'email,name\r\na@x.example,"Zoë, Ünal"\r\nb@x.example,Nadia\r\n'
ROWS = [["email", "name"], ["a@x.example", "Zoë, Ünal"], ["b@x.example", "Nadia"]]


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("cp1252"),
        TEXT.replace("\r\n", "\n").encode(),
        TEXT.replace("\r\n", "\r").encode(),
        TEXT.replace("\r\n", "\r\n\r\n,,\r\n").encode(),
        TEXT.removesuffix("\r\n").encode(),
        b"sep=,\r\n" + TEXT.encode(),
    ],
)
def test_reads_every_usual_encoding_and_line_end(write: Write, content: bytes) -> None:
    assert rows(write(content)) == ROWS


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_finds_the_delimiter(write: Write, delimiter: str) -> None:
    text = f'"a,b;c"{delimiter}name{delimiter}x\n1{delimiter}2{delimiter}3\n'

    assert rows(write(text.encode())) == [["a,b;c", "name", "x"], ["1", "2", "3"]]


def test_obeys_the_hint_that_excel_writes(write: Write) -> None:
    assert rows(write(b"sep=;\na;b,c,d\n")) == [["a", "b,c,d"]]


def test_takes_a_single_column(write: Write) -> None:
    assert rows(write(b"a@x.example\nb@x.example\n")) == [
        ["a@x.example"],
        ["b@x.example"],
    ]


def test_keeps_a_quoted_line_break_and_counts_lines(write: Write) -> None:
    path = write(b'a,b\n"one\ntwo",2\n3,4\n')

    found = [(record.line, record.cells) for record in CsvFile(path).records()]

    assert found == [(1, ["a", "b"]), (2, ["one\ntwo", "2"]), (4, ["3", "4"])]


def test_loses_no_row_to_a_quote_that_is_never_closed(write: Write) -> None:
    many = b"".join(b"r%d@x.example,n\n" % i for i in range(300))
    path = write(b'email,name\n"open@x.example,n\n' + many + b'"end,n\nz,n\n')

    assert faults(path) == [
        (2, "a quoted cell is not closed"),
        (303, "a quoted cell is not closed"),
    ]
    assert len(rows(path)) == 302


def test_skips_a_line_that_is_too_long(write: Write) -> None:
    path = write(b"email\na@x.example\n" + b"x" * 350_000 + b"\nb@x.example\n")

    assert faults(path) == [(3, "the line is longer than 100000 characters")]
    assert rows(path) == [["email"], ["a@x.example"], ["b@x.example"]]


def test_finds_a_long_line_inside_an_open_quote(write: Write) -> None:
    path = write(b'email\n"a\n' + b"x" * 250_000 + b"\nb\n")

    assert [line for line, _ in faults(path)] == [2, 3]
    assert rows(path) == [["email"], ["b"]]


def test_lets_a_few_damaged_characters_pass(write: Write) -> None:
    path = write(
        "n\nZoë Ünal Ärger\n".encode() + b"Caf\xe9\nnul\x00led\n" + b"x\n" * 99
    )

    assert rows(path)[1:4] == [["Zoë Ünal Ärger"], ["Caf\ufffd"], ["nul\x00led"]]


def test_tells_how_far_it_has_read(write: Write) -> None:
    path = write(b"a@x.example\n" * 30_000)
    told: list[int] = []

    count = sum(1 for _ in CsvFile(path).records(told.append))

    assert count == 30_000
    assert told == sorted(told)
    assert told[-1] == path.stat().st_size


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"PK\x03\x04\x14\x00\x06", "a spreadsheet or a ZIP archive"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x1f\x8b\x08", "compressed"),
        (b"<!doctype html><title>x", "a web page or XML"),
        (b'\xef\xbb\xbf {"a": 1}', "JSON"),
        (bytes(range(1, 256)) * 20, "binary"),
        (b"abc,def\n" * 9 + b"\x00" * 9, "binary"),
    ],
)
def test_refuses_what_is_no_table(write: Write, content: bytes, kind: str) -> None:
    with pytest.raises(RefusedError, match=kind) as refusal:
        CsvFile(write(content))

    assert refusal.value.mend


@given(st.lists(st.lists(st.text(max_size=12), min_size=2, max_size=3), max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_never_fails_on_any_text(tmp_path: Path, cells: list[list[str]]) -> None:
    path = tmp_path / "any.csv"
    text = "email,name\n" + "\n".join(",".join(row) for row in cells)
    path.write_bytes(text.encode("utf-8", "replace"))

    try:
        found = list(CsvFile(path).records())
    except RefusedError:
        return

    assert found[0].cells == ["email", "name"]


@given(st.binary(max_size=400))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_never_fails_on_any_octets(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(b"email,name\n" + content)

    try:
        found = list(CsvFile(path).records())
    except RefusedError:
        return

    assert all(record.line >= 1 for record in found)
