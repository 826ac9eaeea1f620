"""What the gates measure with, and the figures they report at the end of a run."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import launched
from tests.gates.figures import measured
from tests.gates.letters import (
    WEEKS,
    WRONG,
    Written,
    correction,
    reference,
    send_samples,
)

HERE = Path(__file__).parent


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured."""
    if measured:
        terminalreporter.section("measured")
        for line in sorted(measured):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Written]:
    """The sample weeks' letters."""
    return send_samples(tmp_path_factory.mktemp("demo") / "home")


@pytest.fixture(params=["en", "ar", "wrong-en", "wrong-ar", "demo-en", "demo-ar"])
def edition(request: pytest.FixtureRequest) -> str:
    """Each edition that is built: reference weeks, corrections, sample weeks."""
    found: str = request.param
    return found


@pytest.fixture
def letter(edition: str, request: pytest.FixtureRequest) -> Written:
    """A reader's letter of the edition."""
    if edition in WEEKS:
        return reference(edition)
    if (language := edition.removeprefix("wrong-")) in WRONG:
        return correction(language)
    found: dict[str, Written] = request.getfixturevalue("samples")
    return found[edition]


# Of one module, not of the session: a second event loop cannot start beside it.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with launched() as started:
        yield started


@pytest.fixture
def node() -> Callable[..., str]:
    """Run a tool of package-lock.json, and return what it printed."""
    if shutil.which("node") is None or not (HERE / "node_modules").is_dir():
        pytest.skip("node, or what `make gates` installs with npm, is not there")

    def run(*arguments: str | Path) -> str:
        done = subprocess.run(  # noqa: S603 - our own arguments
            ["node", *map(str, arguments)],  # noqa: S607 - where the machine has it
            cwd=HERE,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.stderr, done.stderr
        return done.stdout

    return run
