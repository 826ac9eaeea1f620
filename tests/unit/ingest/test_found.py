"""Values of sources: what is not of the expected kind counts as absent."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from digest.ingest.found import date_of, first_read, list_of, object_of, text_of

CAIRO = ZoneInfo("Africa/Cairo")


@pytest.mark.parametrize("value", [None, 1, True, [], {}, ["x"]])
def test_takes_only_text_for_text(value: object) -> None:
    assert text_of(value) == ""


@pytest.mark.parametrize("value", [None, "x", {"a": 1}])
def test_takes_only_a_list_for_a_list(value: object) -> None:
    assert list_of(value) == []


@pytest.mark.parametrize("value", [None, "x", [1]])
def test_takes_only_an_object_for_an_object(value: object) -> None:
    assert object_of(value) == {}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-05-12", date(2024, 5, 12)),
        (" 2024-05-12T23:30:00 ", date(2024, 5, 12)),
        ("2024-05-12T23:30:00+00:00", date(2024, 5, 13)),
        ("12 May 2024", None),
        ("9999-12-31T23:30:00+00:00", None),
        ("", None),
    ],
)
def test_reads_the_date_of_a_zone(text: str, day: date | None) -> None:
    assert date_of(text, CAIRO) == day


def test_reads_the_first_line_that_can_be_read() -> None:
    lines = ["one", "by Nadia", "by Omar"]

    found = first_read(lambda x: x[3:] if x.startswith("by ") else None, lines)

    assert found == "Nadia"
