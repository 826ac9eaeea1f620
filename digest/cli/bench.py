"""`bench`: how fast letters leave this machine, by the real path, to itself only."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from digest.bootstrap import Service
from digest.cli import bench_edition
from digest.cli.bench_workers import Carried, Squad, running_sink
from digest.cli.face import CLI, Face, face_of
from digest.domain.errors import StateError, UsageError
from digest.domain.hosts import is_loopback
from digest.domain.states import DeliveryState
from digest.send import progress
from digest.send.progress import Status
from digest.settings import Settings

_KIB = 1024
_LAST_PORT = 65535


@dataclass(frozen=True, kw_only=True)
class _Wish:
    letters: int
    octets: int
    dkim: bool
    processes: int


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    group = typer.Typer(help="How fast this machine is.", no_args_is_help=True)
    group.callback()(_measure)
    group.command("send")(bench_send)
    app.add_typer(group, name="bench")


def _measure() -> None:
    """Measure this machine; nothing leaves it."""


def bench_send(
    ctx: typer.Context,
    *,
    letters: Annotated[int, typer.Option(min=1, help="How many")],
    size: Annotated[int, typer.Option(min=1, max=90, help="KB of a letter")] = 32,
    dkim: Annotated[bool, typer.Option(help="Sign them, RSA-2048")] = True,
    connections: Annotated[
        int | None,
        typer.Option(min=1, max=200, help="Per process; default: smtp.connections"),
    ] = None,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Workers")] = 1,
    smtp: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="On this machine; default: our sink"),
    ] = None,
) -> None:
    """Send made-up letters over the real path, from a database of their own.

    Nothing of this installation is touched, and nothing leaves this machine.
    """
    face = face_of(ctx)
    wish = _Wish(letters=letters, octets=size * _KIB, dkim=dkim, processes=processes)
    with _relay(smtp) as (host, port):
        settings = _settings(face.settings(), host, port, connections)
        with bench_edition.installation(settings) as own:
            document = _run(face, own, wish)
    face.show(document, _lines(document))


@contextmanager
def _relay(smtp: str | None) -> Iterator[tuple[str, int]]:
    """Say where letters go: to a server on this machine, else to a sink of ours.

    Raises:
        UsageError: The address is not one of this machine.
    """
    if smtp is None:
        with running_sink() as port:
            yield "127.0.0.1", port
        return
    host, _, number = smtp.rpartition(":")
    host = host.strip("[]")
    if not is_loopback(host):
        raise UsageError(
            f"A bench sends to this machine only, not to {host or smtp!r}.",
            "Example: --smtp 127.0.0.1:2525",
        )
    if not (number.isascii() and number.isdigit() and 0 < int(number) <= _LAST_PORT):
        raise UsageError(
            f"{smtp!r} has no port number.", "Example: --smtp 127.0.0.1:2525"
        )
    yield host, int(number)


def _settings(
    operators: Settings, host: str, port: int, connections: int | None
) -> Settings:
    smtp = operators.smtp.model_copy(
        update={
            "host": host,
            "port": port,
            "security": "none",
            "username": None,
            "password": None,
            "connections": connections or operators.smtp.connections,
            "rate_per_minute": 0,
        }
    )
    return operators.model_copy(update={"smtp": smtp})


def _run(face: Face, settings: Settings, wish: _Wish) -> dict[str, Any]:
    service = bench_edition.open_installation(settings, dkim=wish.dkim)
    try:
        face.say(f"Adding {wish.letters:,} made-up readers …")
        bench_edition.add_readers(service, wish.letters)
        edition, octets = bench_edition.approve_edition(service, octets=wish.octets)
        return _time(face, service, edition, wish) | {
            "dkim": wish.dkim,
            "size_kb": round(octets / _KIB, 1),
            "connections": settings.smtp.connections,
            "processes": wish.processes,
            "database": "sqlite" if service.db.is_sqlite else "postgresql",
        }
    finally:
        service.db.close()


def _time(face: Face, service: Service, edition: int, wish: _Wish) -> dict[str, Any]:
    released = time.monotonic()
    service.release(edition, actor=CLI)
    release_seconds = time.monotonic() - released
    with (
        Squad(service.settings, wish.processes) as squad,
        face.progress("Sending", wish.letters) as bar,
    ):
        look = _no_look if bar.disable else _looker(service, edition, bar)
        squad.start()
        began = service.now()
        carried = squad.wait(look)
    status = _status(service, edition)
    _require_all_sent(status, wish.letters, carried)
    assert status.finished_at is not None, "every letter was sent"
    seconds = (status.finished_at - began).total_seconds()
    cpu = sum(part.cpu_seconds for part in carried)
    return {
        "letters": wish.letters,
        "seconds": round(seconds, 3),
        "per_second": round(wish.letters / seconds, 1),
        "cpu_us_per_letter": round(cpu / wish.letters * 1_000_000, 1),
        "peak_rss_mb": round(sum(part.peak_rss_mb for part in carried), 1),
        "commits": sum(part.commits for part in carried),
        "release_seconds": round(release_seconds, 3),
    }


def _no_look() -> None:
    """Leave the database alone: looking costs time that is measured."""


def _looker(service: Service, edition: int, bar: Any) -> Callable[[], None]:
    def look() -> None:
        counts = _status(service, edition).counts
        bar.update(bar.task_ids[0], completed=counts[DeliveryState.SENT])

    return look


def _status(service: Service, edition: int) -> Status:
    return progress.status(service.db, edition_id=edition, now=service.now())


def _require_all_sent(status: Status, letters: int, carried: list[Carried]) -> None:
    sent = status.counts[DeliveryState.SENT]
    if sent != letters:
        trouble = next((part.trouble for part in carried if part.trouble), None)
        why = f": {trouble}" if trouble else ""
        raise StateError(
            f"Only {sent} of {letters} letters were taken{why}.",
            "The server must take every letter.",
        )


def _lines(document: dict[str, Any]) -> list[str]:
    signed = "signed" if document["dkim"] else "unsigned"
    return [
        "{letters:,} {signed} letters of {size_kb} KB in {seconds} s: "
        "{per_second:,} a second.".format(signed=signed, **document),
        "{cpu_us_per_letter} µs CPU a letter, {peak_rss_mb} MB at most, {commits:,} "
        "commits; released in {release_seconds} s.".format(**document),
        "{processes} process(es) of {connections} connections, {database}.".format(
            **document
        ),
    ]
