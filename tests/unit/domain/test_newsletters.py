"""A newsletter and its sections."""

import pytest

from digest.domain.errors import NotFoundError
from tests.builders import make_newsletter

WEEKLY = make_newsletter()


def test_finds_a_section_by_its_slug() -> None:
    assert WEEKLY.require_section("arts") == WEEKLY.section("arts")


def test_refuses_a_section_it_has_not_and_names_those_it_has() -> None:
    with pytest.raises(
        NotFoundError, match=r"Known: news \(News & Politics\), features"
    ):
        WEEKLY.require_section("sport")
