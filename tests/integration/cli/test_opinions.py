"""`digest opinions`: what readers say, listed and counted."""

from collections.abc import Callable
from pathlib import Path

import pytest

from digest.compose.opinions import give
from digest.domain.actor import READER
from digest.domain.opinions import Answer, LeavingReason
from digest.storage import newsletters, opinions
from digest.storage.engine import Database
from tests.builders import NOW
from tests.conftest import Ran
from tests.posting import add_edition

Cli = Callable[..., Ran]


@pytest.fixture
def desk(installed: Cli, tmp_path: Path) -> Cli:
    """An installation with three answers, one with words, and one reason."""
    db = Database(f"sqlite:///{tmp_path / 'home' / 'digest.db'}")
    with db.read() as tx:
        weekly = newsletters.get(tx, "weekly")
    edition = add_edition(db, weekly)
    for words in ("", "Shorter, please.", ""):
        give(
            db,
            edition_id=edition.id,
            answer=Answer.FINE,
            words=words,
            actor=READER,
            now=NOW,
        )
    with db.write() as tx:
        reason = LeavingReason.TOO_MUCH
        opinions.add_reason(tx, weekly.id, reason, given_on=NOW.date())
        opinions.add_reason(
            tx, weekly.id, reason, given_on=NOW.replace(year=2099).date()
        )
    db.close()
    return installed


def test_lists_the_latest_first_a_page_at_a_time(desk: Cli) -> None:
    first = desk("opinions", "list", "--limit", "2", "--json").document
    second = desk("opinions", "list", "--after", str(first["next"]), "--json").document

    assert [one["id"] for one in first["items"] + second["items"]] == [3, 2, 1]
    assert second["next"] is None
    assert first["items"][1] | {"at": ""} == {
        "id": 2,
        "edition": 1,
        "newsletter": "weekly",
        "issue_date": "2024-05-12",
        "answer": "fine",
        "words": "Shorter, please.",
        "at": "",
    }


def test_lists_words_alone(desk: Cli) -> None:
    lines = desk("opinions", "list", "--words", "--edition", "1").out

    assert lines == "weekly 2024-05-12  fine        Shorter, please.\n"


def test_counts_why_readers_left_lately(desk: Cli) -> None:
    document = desk("opinions", "leaving", "--days", "30", "--json").document

    assert document["reasons"]["too-much"] == 1
    assert sum(document["reasons"].values()) == 1
    assert "1  it was too much" in desk("opinions", "leaving").out
