"""Which section a story belongs to."""

import pytest

from digest.ingest.sections import guess_section
from tests.builders import make_newsletter

WEEKLY = make_newsletter()


@pytest.mark.parametrize(
    ("categories", "section"),
    [
        (["News"], "news"),
        (["ARTS &amp; culture".replace("&amp;", "&")], "arts"),
        (["Politics"], "news"),
        (["featured", "Culture"], "arts"),
        (["Sport"], None),
        (["and"], None),
        ([], None),
        (["Sport", "Features", "Politics"], "features"),
    ],
)
def test_guesses_by_slug_title_or_words(
    categories: list[str], section: str | None
) -> None:
    assert guess_section(categories, WEEKLY.sections, {}) == section


def test_the_sources_own_table_rules() -> None:
    table = {"Politics": "features", "sport": "arts", "x": "gone"}

    guesses = [
        guess_section([category], WEEKLY.sections, table)
        for category in ("politics", "Sport", "x")
    ]

    assert guesses == ["features", "arts", None]
