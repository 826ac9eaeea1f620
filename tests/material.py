"""Where tests find what they read: our own pages and feeds, and the collections."""

import os
from pathlib import Path

import pytest

ABSENT = "which is not beside this checkout"
"""Part of the reason of every skip here."""

MATERIAL = Path(__file__).parent / "unit" / "ingest" / "material"
"""Pages, feeds and answers written for these tests."""

# Beside the checkout, read in place.
SHARED = Path(
    os.environ.get("DIGEST_TEST_SHARED", Path(__file__).parents[2] / "shared")
)


def find_shared(path: str = "") -> Path:
    """Return the place of a file or folder below `../shared`.

    Skips the test that asks where it is absent: a fresh clone has none of them, and
    every rule they try is tested with material of our own as well.
    """
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"needs {found}, {ABSENT}")
    return found
