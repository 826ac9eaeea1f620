"""`serve`: pages, mail that comes in, the schedule and the send worker together."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from digest.bootstrap import Service, find_uptime, make_post
from digest.cli import loops, rehearsal
from digest.cli.crew import Crew
from digest.cli.face import Face, face_of
from digest.cli.worker import crew_plan
from digest.domain.errors import UsageError
from digest.inbound import running
from digest.inbound.mailboxes import find_mailboxes
from digest.schedule import runner
from digest.send import worker
from digest.send.post import Post
from digest.web.app import make_app
from digest.web.server import serve


@dataclass(frozen=True, kw_only=True)
class _Run:
    face: Face
    service: Service
    stop: asyncio.Event


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("serve")(run_serve)


def run_serve(
    ctx: typer.Context,
    *,
    only: Annotated[
        str, typer.Option(help="Parts: web, inbound, schedule, worker; with commas")
    ] = "",
) -> None:
    """Serve pages, take mail in, follow schedules, carry letters until stopped."""
    names = _choose(only)
    face = face_of(ctx)
    service = face.service()
    rehearsal.sweep(service.settings.home)
    loops.run(_serve(face, service, names))


def _choose(only: str) -> list[str]:
    names = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in names if name not in _PARTS]
    if unknown:
        raise UsageError(
            f"There is no part {unknown[0]!r} to serve.",
            f"Parts: {', '.join(_PARTS)}.",
        )
    return names or list(_PARTS)


async def _serve(face: Face, service: Service, names: list[str]) -> None:
    """Run the parts side by side; when one fails, all stop and its error is told."""
    run = _Run(face=face, service=service, stop=asyncio.Event())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, run.stop.set)
    tasks: list[asyncio.Task[None]] = [
        asyncio.create_task(_PARTS[name](run), name=name) for name in names
    ]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    run.stop.set()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


async def _web(run: _Run) -> None:
    web = run.service.settings.web

    def tell(port: int) -> None:
        host = f"[{web.host}]" if ":" in web.host else web.host
        run.face.say(f"Serving http://{host}:{port}/ for {web.base_url}")

    await serve(
        make_app(run.service),
        host=web.host,
        port=web.port,
        stop=run.stop,
        ready=tell,
        trusted_proxies=web.trusted_proxies,
    )


async def _inbound(run: _Run) -> None:
    service = run.service
    settings = service.settings.inbound
    if not service.settings.takes_mail:
        run.face.say("Taking no mail in: inbound.protocol is none.")

    def tell(port: int) -> None:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        run.face.say(f"Taking mail by {settings.protocol} on {host}:{port}")

    for name in find_mailboxes(service.settings):
        run.face.say(f"Reading mail from {name}.")
    await running.run(service, stop=run.stop, ready=tell)


async def _schedule(run: _Run) -> None:
    run.face.say("Following schedules.")
    await runner.run(run.service, stop=run.stop, uptime=find_uptime())


async def _worker(run: _Run) -> None:
    run.face.say("Carrying letters.")
    count = run.service.settings.send.processes
    if count > 1:
        await Crew(crew_plan(run.face, count, grace=Post.grace)).run(run.stop)
    else:
        post = make_post(run.service)
        await worker.work(post, clock=run.service.clock, stop=run.stop)


_PARTS: Mapping[str, Callable[[_Run], Coroutine[Any, Any, None]]] = {
    "web": _web,
    "inbound": _inbound,
    "schedule": _schedule,
    "worker": _worker,
}
