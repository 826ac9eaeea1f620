"""The wheel carries all that the demo needs, and runs it from an empty folder."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content in a folder of its own, as an installer would put it."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(  # noqa: S603 - our own build
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(installed: Path, folder: Path, *arguments: str) -> str:
    """Run Python in a folder with the wheel's package before the checkout's."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("DIGEST_")}
    done = subprocess.run(  # noqa: S603 - our own package
        [sys.executable, *arguments],
        cwd=folder,
        env=environ | {"PYTHONPATH": str(installed)},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_the_installed_demo_runs_from_an_empty_folder(
    installed: Path, tmp_path: Path
) -> None:
    where = run(installed, tmp_path, "-c", "import digest; print(digest.__file__)")

    found = json.loads(run(installed, tmp_path, "-m", "digest", "demo", "--json"))

    assert Path(where.strip()).is_relative_to(installed)
    assert found["sent"] == found["readers"] == 12
    letters = (tmp_path / "var" / "demo" / "outbox").glob("*.eml")
    assert len(list(letters)) == 12


def test_the_installed_init_seeds_the_newsletter(
    installed: Path, tmp_path: Path
) -> None:
    found = json.loads(run(installed, tmp_path, "-m", "digest", "init", "--json"))

    assert "newsletter weekly" in found["made"]
