"""What every command shares: settings, one JSON document or plain lines, progress."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from digest import bootstrap
from digest.bootstrap import Service
from digest.domain.actor import Actor, ActorKind
from digest.settings import Settings, load_settings

CLI = Actor(kind=ActorKind.CLI)


@dataclass(kw_only=True)
class Face:
    """One run of the command line.

    Attributes:
        as_json: Print exactly one JSON document on stdout.
        debug: Show tracebacks.
        config: The settings file named with --config.
    """

    as_json: bool = False
    debug: bool = False
    config: Path | None = None
    _service: Service | None = None

    def settings(self) -> Settings:
        """Read the settings."""
        return load_settings(config=self.config)

    def service(self) -> Service:
        """Open the installation, once."""
        if self._service is None:
            self._service = bootstrap.open_service(self.settings())
        return self._service

    def show(self, document: Any, lines: Iterable[str] | str) -> None:
        """Print a result: the document with --json, else the lines for people."""
        if self.as_json:
            print(json.dumps(document, default=_plain, ensure_ascii=False))
            return
        print(lines if isinstance(lines, str) else "\n".join(lines))

    def show_page(
        self,
        items: Sequence[dict[str, Any]],
        lines: Sequence[str],
        *,
        limit: int,
        none: str,
    ) -> None:
        """Print one page of a list that was loaded with one row too many.

        Args:
            items: Documents with an `id`, at most `limit` + 1 of them.
            lines: The same for people, one line each.
            limit: How many to show.
            none: What people are told where there are none.
        """
        more = items[limit - 1]["id"] if len(items) > limit else None
        hint = [f"More: --after {more}"] if more is not None else []
        page = {"items": items[:limit], "next": more}
        self.show(page, [*lines[:limit], *hint] or none)

    def say(self, line: str) -> None:
        """Tell a person something beside the result, on stderr."""
        print(line, file=sys.stderr)

    @contextmanager
    def progress(self, label: str, total: int | None = None) -> Iterator[Progress]:
        """Show a progress bar on stderr while the block runs, where one is wanted.

        The block calls `progress.update(progress.task_ids[0], completed=N)`.
        """
        console = Console(stderr=True)
        hidden = self.as_json or not console.is_terminal
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, disable=hidden) as bar:
            bar.add_task(label, total=total)
            yield bar

    def close(self) -> None:
        """Give back what was opened."""
        if self._service is not None:
            self._service.db.close()


def face_of(ctx: typer.Context) -> Face:
    """Return the run a command belongs to."""
    face = ctx.find_object(Face)
    assert face is not None
    return face


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 letter`, `12 letters`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _plain(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    raise TypeError(f"cannot show {type(value).__name__} as JSON")
