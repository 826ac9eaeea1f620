"""The kill trials of `make faults`, three of them and short: nobody is ever lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import postgres
from bench.installation import Installation, prepare
from bench.kills import run_kill
from bench.trials import Place

LETTERS = 2_000


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Place:
    root = tmp_path_factory.mktemp("sqlite")
    ready = prepare(Installation(home=root / "ready"), readers=LETTERS)
    return Place(root=root, ready=ready, letters=LETTERS)


@pytest.fixture
def on_postgres(tmp_path: Path, postgres_url: str) -> Iterator[Place]:
    database = postgres.create_database(postgres_url)
    found = Installation(home=tmp_path / "ready", database=database)
    ready = prepare(found, readers=LETTERS)
    yield Place(root=tmp_path, ready=ready, letters=LETTERS, server=postgres_url)
    postgres.drop_database(postgres_url, database)


@pytest.mark.parametrize("uncertain", ["hold", "resend"])
def test_promises_hold_after_kills(on_sqlite: Place, uncertain: str) -> None:
    verdict = run_kill(
        on_sqlite, f"kill-{uncertain}", seed=7, processes=1, uncertain=uncertain
    )

    assert verdict.kills > 0
    assert verdict.broken == []


@pytest.mark.postgres
def test_promises_hold_after_kills_of_two_workers(on_postgres: Place) -> None:
    verdict = run_kill(on_postgres, "kill", seed=7, processes=2, uncertain="resend")

    assert verdict.kills > 0
    assert verdict.broken == []
