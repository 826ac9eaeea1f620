"""`worker`: carry letters to the relay, with one process or several."""

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from datetime import timedelta
from typing import Annotated, Any

import typer

from digest.bootstrap import Service, make_post
from digest.cli import loops
from digest.cli.crew import Crew, Plan, watch_parent
from digest.cli.face import Face, counted, face_of
from digest.domain.errors import DigestError
from digest.send.job import Totals
from digest.send.post import Post
from digest.send.worker import drain, work
from digest.storage import deliveries, notice_ledger

_GRACE_SECONDS = Post.grace.total_seconds()


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("worker")(run_worker)


def run_worker(
    ctx: typer.Context,
    *,
    once: Annotated[
        bool, typer.Option("--once", help="End when nothing is due")
    ] = False,
    processes: Annotated[
        int | None, typer.Option(min=1, max=64, help="Default: send.processes")
    ] = None,
    grace: Annotated[
        float,
        typer.Option(min=0, help="Seconds for letters under way when it is stopped"),
    ] = _GRACE_SECONDS,
    lifeline: Annotated[
        int | None, typer.Option(hidden=True, help="Pipe from the parent process")
    ] = None,
) -> None:
    """Carry deliveries and notices until stopped; letters under way finish."""
    face = face_of(ctx)
    service = face.service()
    length = timedelta(seconds=grace)
    if lifeline is not None:
        totals = loops.run(_work_as_child(service, lifeline, once=once, grace=length))
        face.show(asdict(totals), "")
        return
    if once and service.guard is not None:
        service.guard.require()
    if not once:
        face.say("Carrying letters; stop with Ctrl-C.")
    wanted = service.settings.send.processes if processes is None else processes
    if wanted > 1:
        totals = loops.run(_work_as_parent(face, wanted, once=once, grace=length))
    else:
        totals = loops.run(_work(_post(service, length), service, once=once))
    if once:
        _tell(face, totals)


def crew_plan(face: Face, count: int, *, grace: timedelta, once: bool = False) -> Plan:
    """Plan worker processes of the installation that a face is for."""
    config = [] if face.config is None else ["--config", str(face.config)]
    debug = ["--debug"] if face.debug else []
    return Plan(count=count, options=[*config, *debug], once=once, grace=grace)


async def _work_as_parent(
    face: Face, count: int, *, once: bool, grace: timedelta
) -> Totals:
    crew = Crew(crew_plan(face, count, once=once, grace=grace))
    parts = await crew.run(_stop_on_signals())
    totals = _add_up(parts)
    if once:
        with face.service().db.read() as tx:
            totals.waiting = deliveries.count_open(tx) + notice_ledger.count_open(tx)
    return totals


async def _work_as_child(
    service: Service, lifeline: int, *, once: bool, grace: timedelta
) -> Totals:
    stop = _stop_on_signals()
    watch_parent(lifeline, stop)
    return await _work(_post(service, grace), service, once=once, stop=stop)


async def _work(
    post: Post, service: Service, *, once: bool, stop: asyncio.Event | None = None
) -> Totals:
    stop = stop or _stop_on_signals()
    if once:
        return await drain(post, clock=service.clock, stop=stop)
    await work(post, clock=service.clock, stop=stop)
    return Totals()


def _post(service: Service, grace: timedelta) -> Post:
    return replace(make_post(service), grace=grace)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


def _add_up(parts: Sequence[dict[str, Any]]) -> Totals:
    totals = Totals()
    for name in (f.name for f in fields(Totals) if f.type in {int, "int"}):
        setattr(totals, name, sum(part[name] for part in parts))
    totals.trouble = next((p["trouble"] for p in parts if p["trouble"]), None)
    return totals


def _tell(face: Face, totals: Totals) -> None:
    if totals.trouble is not None:
        raise _unusable(face.service(), totals)
    face.show(asdict(totals), _lines(totals))


def _unusable(service: Service, totals: Totals) -> DigestError:
    smtp = service.settings.smtp
    sent = f"{counted(totals.sent, 'letter')} sent, " if totals.sent else ""
    return DigestError(
        f"The relay {smtp.host}:{smtp.port} cannot be used: {totals.trouble}; "
        f"{sent}{totals.waiting} waiting.",
        "Check DIGEST_SMTP__HOST, PORT, SECURITY, USERNAME and PASSWORD, "
        "or run: digest doctor",
    )


def _lines(totals: Totals) -> list[str]:
    parts = {
        name: count
        for name, count in asdict(totals).items()
        if isinstance(count, int) and count and name != "commits"
    }
    done = ", ".join(f"{count} {name}" for name, count in parts.items())
    return [f"{done or 'Nothing was due'}."]
