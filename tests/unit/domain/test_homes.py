"""Homes and databases: what belongs together, and what is a copy."""

from dataclasses import replace

import pytest

from digest.domain.homes import Home, Place, Standing, judge
from tests.builders import NOW

PLACE = Place(id="a" * 32, machine="m1", file="17", mark=5)
HOME = Home(
    id=PLACE.id,
    place=PLACE.name,
    mark=5,
    seen_at=NOW,
    adopted_by="cli",
    adopted_at=NOW,
)


@pytest.mark.parametrize(
    ("changes", "standing"),
    [
        ({}, Standing.KNOWN),
        ({"mark": 4}, Standing.KNOWN),
        ({"mark": 6}, Standing.BEHIND),
        ({"file": "18"}, Standing.COPIED),
        ({"machine": "m2"}, Standing.COPIED),
        ({"machine": ""}, Standing.KNOWN),
        ({"id": "b" * 32}, Standing.STRANGE),
        ({"id": "", "file": "", "mark": 0}, Standing.STRANGE),
    ],
)
def test_a_home_is_known_by_its_name_its_place_and_how_far_it_went(
    changes: dict[str, object], standing: Standing
) -> None:
    found = judge(replace(PLACE, **changes), [HOME], is_used=True)  # type: ignore[arg-type]

    assert found is standing


def test_a_home_remembered_without_a_machine_is_known_by_its_file() -> None:
    nameless = replace(HOME, place=":17")

    assert judge(PLACE, [nameless], is_used=True) is Standing.KNOWN
    assert judge(replace(PLACE, file="18"), [nameless], is_used=True) is Standing.COPIED


@pytest.mark.parametrize(
    ("mark", "is_used", "standing"),
    [
        (0, False, Standing.FRESH),
        (0, True, Standing.FRESH),  # an installation from before this was kept
        (5, False, Standing.FRESH),  # a new database in an old home
        (5, True, Standing.BEHIND),
    ],
)
def test_a_database_that_knows_no_home_is_new_or_older_than_the_home(
    mark: int,
    is_used: bool,  # noqa: FBT001 - a column of the table
    standing: Standing,
) -> None:
    assert judge(replace(PLACE, mark=mark), [], is_used=is_used) is standing


def test_only_what_belongs_together_may_send() -> None:
    allowed = {standing for standing in Standing if standing.may_send}

    assert allowed == {Standing.KNOWN, Standing.FRESH}
    assert {bool(s.words) for s in Standing if not s.may_send} == {True}
