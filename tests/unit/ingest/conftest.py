"""Material of the readers' tests."""

from pathlib import Path

import pytest

MATERIAL = Path(__file__).parent / "material"


@pytest.fixture
def material() -> Path:
    """Pages, feeds and answers written for these tests."""
    return MATERIAL
