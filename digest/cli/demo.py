"""`demo`: the whole path on real parts, in a home of its own."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from digest import bootstrap
from digest.bootstrap import Service
from digest.cli import demo_week as steps
from digest.cli.demo_week import Postbox
from digest.cli.dkim import make_key
from digest.cli.face import CLI, Face, counted, face_of
from digest.domain.editions import Edition
from digest.domain.errors import StateError
from digest.domain.states import EditionState
from digest.mail.dkim import dns_record
from digest.mail.sink import Received, Sink
from digest.send.worker import drain
from digest.settings import Settings, SmtpSettings, WebSettings
from digest.templating import shipped

Out = Annotated[Path, typer.Option(help="Where everything goes; rebuilt each time.")]
Readers = Annotated[
    int, typer.Option(min=1, max=10_000, help="How many readers get the edition.")
]
_MARKER = ".digest-demo"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the demo did."""

    edition: Edition
    stories: int
    readers: int
    postbox: Postbox
    preview_html: Path
    preview_text: Path


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("demo")(demo)


def demo(
    ctx: typer.Context, *, out: Out = Path("var/demo"), readers: Readers = 12
) -> None:
    """Send the bundled sample week to made-up readers, on this machine only."""
    face = face_of(ctx)
    web = face.settings().web
    clear(out)
    done = asyncio.run(_run(face, out, readers, web))
    face.show(
        {
            "edition": {
                "id": done.edition.id,
                "subject": done.edition.subject,
                "state": done.edition.state,
            },
            "readers": done.readers,
            "sent": len(done.postbox.letters),
            "outbox": done.postbox.outbox,
            "preview_html": done.preview_html,
            "preview_text": done.preview_text,
        },
        _lines(done, out),
    )


def clear(out: Path) -> None:
    """Make an empty folder for the demo, deleting only what a demo made.

    Raises:
        StateError: The folder holds something else.
    """
    if out.exists() or out.is_symlink():
        ours = (out / _MARKER).is_file() and not out.is_symlink()
        empty = out.is_dir() and not any(out.iterdir())
        if not (ours or empty):
            raise StateError(
                f"{out} is there and was not made by a demo.",
                "Name another folder with --out.",
            )
        if ours:
            shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    (out / _MARKER).write_text("Made by `digest demo`, deleted by the next one.\n")


async def _run(face: Face, out: Path, readers: int, web: WebSettings) -> Outcome:
    opened: list[Service] = []
    postbox = Postbox(outbox=out / "outbox")

    def take(received: Received) -> None:
        postbox.file(opened[0], received)

    async with Sink(take) as sink:
        service = _open(out, sink.port, web)
        opened.append(service)
        postbox.prepare()
        try:
            return await _walk(face, service, postbox, readers)
        finally:
            service.db.close()


def _open(out: Path, port: int, web: WebSettings) -> Service:
    """Make an installation that shares nothing with others but its web address."""
    smtp = SmtpSettings(host="127.0.0.1", port=port, security="none")
    settings = Settings(home=out, smtp=smtp, web=web)
    seeds = shipped("config") / "newsletters"
    bootstrap.initialise(settings, actor=CLI, seeds=seeds)
    make_key(settings.dkim_key_file)
    record = dns_record(
        settings.dkim_key_file.read_bytes(),
        domain=settings.dkim_domain,
        selector=settings.dkim.selector,
    )
    text = f"{record.name}\n{record.value}\n"
    (out / "dkim-record.txt").write_text(text, encoding="ascii")
    return bootstrap.open_service(settings)


async def _walk(
    face: Face, service: Service, postbox: Postbox, readers: int
) -> Outcome:
    week = steps.read_week(shipped("config") / "sample-week")
    lead, stories = steps.import_week(service, week)
    face.say(f"Imported the {stories} stories of the sample week.")
    addresses = steps.sign_readers_up(service, readers)
    await _carry(service)
    face.say(f"Asked {len(addresses)} addresses to confirm, by mail.")
    steps.confirm_readers(service, postbox, addresses)
    await _carry(service)
    steps.lose_readers(service, postbox, addresses)
    face.say(
        f"{counted(readers, 'reader')} confirmed; 2 have not, 1 left, 1 is suppressed."
    )
    edition = steps.compose_edition(service, week, lead=lead)
    face.say(f"Composed, checked and approved “{edition.subject}”.")
    service.release(edition.id, actor=CLI)
    await _carry(service)
    face.say(f"Sent {counted(len(postbox.letters), 'letter')} to {postbox.outbox}.")
    edition = steps.load_edition(service, edition.id)
    if edition.state != EditionState.SENT or len(postbox.letters) != readers:
        raise StateError(
            f"The edition is {edition.state}; "
            f"{counted(len(postbox.letters), 'letter')} came.",
            f"See: DIGEST_HOME={service.settings.home} digest deliveries list 1",
        )
    page, text = steps.write_previews(postbox, service.settings.home)
    return Outcome(
        edition=edition,
        stories=stories,
        readers=readers,
        postbox=postbox,
        preview_html=page,
        preview_text=text,
    )


async def _carry(service: Service) -> None:
    totals = await drain(bootstrap.make_post(service), clock=service.clock)
    if totals.trouble is not None:
        raise StateError(f"The demo's own relay failed: {totals.trouble}.")


def _lines(done: Outcome, out: Path) -> list[str]:
    count = counted(len(done.postbox.letters), "reader")
    return [
        f"“{done.edition.subject}” went to {count}:",
        f"  letters    {done.postbox.outbox}/*.eml",
        f"  as a page  {done.preview_html}",
        f"  as text    {done.preview_text}",
        f"  DKIM key   {out}/dkim-record.txt, as DNS would publish it",
        f"  the pages  DIGEST_HOME={out} digest serve",
        "Nothing left this machine.",
    ]
