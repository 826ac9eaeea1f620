"""What a bench prints and keeps: tables, the machine, one JSON file a run."""

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from digest.bootstrap import utc_now

FOLDER = Path("var/bench")


def machine() -> dict[str, Any]:
    """Say where it was measured."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    models = [
        ln.partition(":")[2].strip() for ln in lines if ln.startswith("model name")
    ]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "at": utc_now().isoformat(timespec="seconds"),
    }


def show(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table: the first column left, the others right."""
    texts = [list(heads), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    print(f"\n{title}")
    for row in texts:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join([row[0].ljust(widths[0]), *cells[1:]]))


def _text(cell: object) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if cell >= 100 else f"{cell:.2f}"  # noqa: PLR2004 - digits
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def keep(name: str, document: dict[str, Any]) -> Path:
    """Write a run's figures to a file of its own; returns its path."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}-{utc_now():%Y%m%dT%H%M%S}.json"
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return path
