"""`worker`: carry letters to the relay."""

import asyncio
import signal
from dataclasses import asdict
from typing import Annotated

import typer

from digest.bootstrap import Service, make_post
from digest.cli.face import counted, face_of
from digest.domain.errors import DigestError, UsageError
from digest.send.job import Totals
from digest.send.worker import drain, work


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
        int | None, typer.Option(min=1, help="Default: send.processes")
    ] = None,
) -> None:
    """Carry deliveries and notices until stopped; letters under way finish."""
    face = face_of(ctx)
    service = face.service()
    wanted = service.settings.send.processes if processes is None else processes
    if wanted != 1:
        raise UsageError(
            "One worker is one process.",
            "Start `digest worker` as often as you want processes.",
        )
    if not once:
        face.say("Carrying letters; stop with Ctrl-C.")
        asyncio.run(_work(service))
        return
    totals = asyncio.run(drain(make_post(service), clock=service.clock))
    if totals.trouble is not None:
        raise _unusable(service, totals)
    face.show(asdict(totals), _lines(totals))


async def _work(service: Service) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await work(make_post(service), clock=service.clock, stop=stop)


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
