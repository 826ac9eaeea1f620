"""At most one process leads, and a lost leader is replaced."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from digest.storage.engine import Database
from digest.storage.leader import Leadership


@pytest.fixture
def pair(db: Database, tmp_path: Path) -> Iterator[tuple[Leadership, Leadership]]:
    """Two processes that want to lead."""
    lock = tmp_path / "schedule.lock"
    first, second = Leadership(db, lock), Leadership(db, lock)
    yield first, second
    first.release()
    second.release()


def test_only_one_leads_and_goes_on_leading(
    pair: tuple[Leadership, Leadership],
) -> None:
    first, second = pair

    held = [first.hold(), second.hold(), first.hold(), second.hold()]

    assert held == [True, False, True, False]


def test_another_takes_over_when_the_leader_leaves(
    pair: tuple[Leadership, Leadership],
) -> None:
    first, second = pair
    first.hold()

    first.release()

    assert second.hold()
    assert not first.hold()


@pytest.mark.postgres
def test_a_leader_whose_connection_was_cut_leads_no_more(
    postgres_db: Database, tmp_path: Path
) -> None:
    first, second = (Leadership(postgres_db, tmp_path / "x") for _ in range(2))
    assert first.hold()
    with postgres_db.write() as tx:
        tx.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks"
                " WHERE locktype = 'advisory' AND granted"
            )
        )
    assert second.hold()

    still = first.hold()

    assert not still
    first.release()
    second.release()
