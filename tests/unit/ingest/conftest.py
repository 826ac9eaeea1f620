"""Material of the readers' tests, and where the shared collections are."""

import os
from pathlib import Path

import pytest

MATERIAL = Path(__file__).parent / "material"


@pytest.fixture
def material() -> Path:
    """Pages, feeds and answers written for these tests."""
    return MATERIAL


@pytest.fixture
def shared() -> Path:
    """The collections that lie beside the checkout."""
    default = Path(__file__).parents[4] / "shared"
    folder = Path(os.environ.get("DIGEST_TEST_SHARED", default))
    if not folder.exists():
        pytest.skip("the shared collections are not beside the checkout")
    return folder
