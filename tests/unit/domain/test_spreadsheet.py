"""Cells: no spreadsheet runs them, and nothing is lost on the way."""

import pytest
from hypothesis import given, strategies as st

from digest.domain.spreadsheet import guard, unguard

SIGNS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
cells = st.one_of(st.text(max_size=20), st.text(SIGNS + "'a1 \u3000", max_size=8))


@given(cells)
def test_comes_back_as_it_was(cell: str) -> None:
    assert unguard(guard(cell)) == cell


@given(cells)
def test_never_begins_with_what_starts_a_formula(cell: str) -> None:
    guarded = guard(cell)

    assert guarded.lstrip(" \u00a0\u3000")[:1] not in set(SIGNS) or guarded == ""


@pytest.mark.parametrize("name", ["Nadia", "'t Hooft", "O'Brien", "", " ", "a=b", "'"])
def test_leaves_ordinary_cells_alone(name: str) -> None:
    assert guard(name) == name
    assert unguard(name) == name
