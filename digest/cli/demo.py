"""`demo`: the whole path on real parts, in a home of its own."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from digest import bootstrap
from digest.bootstrap import Service, installing
from digest.care import newsletter_seeds
from digest.cli import demo_readers as readers_of, demo_week as steps
from digest.cli.demo_pictures import put_beside
from digest.cli.demo_readers import Postbox
from digest.cli.demo_week import Week
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
_ARABIC_READERS = 3


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the demo did."""

    edition: Edition
    stories: int
    readers: int
    postbox: Postbox
    preview_html: Path
    preview_text: Path

    def document(self) -> dict[str, object]:
        """Say it for programs."""
        return {
            "edition": {
                "id": self.edition.id,
                "subject": self.edition.subject,
                "state": self.edition.state,
            },
            "readers": self.readers,
            "sent": len(self.postbox.letters),
            "outbox": self.postbox.outbox,
            "preview_html": self.preview_html,
            "preview_text": self.preview_text,
        }


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
    weekly, arabic = asyncio.run(_run(face, out, readers, web))
    face.show(
        weekly.document() | {"arabic": arabic.document()},
        _lines(weekly, arabic, out),
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


async def _run(
    face: Face, out: Path, readers: int, web: WebSettings
) -> tuple[Outcome, Outcome]:
    opened: list[Service] = []
    weekly, arabic = Postbox(outbox=out / "outbox"), Postbox(outbox=out / "outbox-ar")
    current = [weekly]

    def take(received: Received) -> None:
        current[0].file(opened[0], received)

    async with Sink(take) as sink:
        service = _open(out, sink.port, web)
        opened.append(service)
        try:
            first = await _send_weekly(face, service, weekly, readers)
            current[0] = arabic
            return first, await _send_arabic(face, service, arabic, readers)
        finally:
            service.db.close()


def _open(out: Path, port: int, web: WebSettings) -> Service:
    """Make an installation that shares nothing with others but its web address."""
    smtp = SmtpSettings(host="127.0.0.1", port=port, security="none")
    settings = Settings(home=out, smtp=smtp, web=web)
    seeds = shipped("config") / "newsletters"
    installing.initialise(settings, actor=CLI, seeds=seeds)
    make_key(settings.dkim_key_file)
    record = dns_record(
        settings.dkim_key_file.read_bytes(),
        domain=settings.dkim_domain,
        selector=settings.dkim.selector,
    )
    text = f"{record.name}\n{record.value}\n"
    (out / "dkim-record.txt").write_text(text, encoding="ascii")
    return bootstrap.open_service(settings)


async def _send_weekly(
    face: Face, service: Service, postbox: Postbox, readers: int
) -> Outcome:
    week = steps.read_week(shipped("config") / "sample-week")
    lead, stories = steps.import_week(service, week)
    face.say(f"Imported the {stories} stories of the sample week.")
    addresses = readers_of.make_readers(readers)
    await _subscribe(service, week, postbox, addresses, readers_of.patient(addresses))
    face.say(f"Asked {len(addresses)} addresses to confirm, by mail.")
    readers_of.lose_readers(service, postbox, addresses)
    face.say(
        f"{counted(readers, 'reader')} confirmed; 2 have not, 1 left, 1 is suppressed."
    )
    edition = await _send(service, week, postbox, lead=lead, readers=readers)
    face.say(f"Composed, checked, approved and sent “{edition.subject}”.")
    page, text = readers_of.write_previews(postbox, service.settings.home)
    put_beside(service, page)
    return Outcome(
        edition=edition,
        stories=stories,
        readers=readers,
        postbox=postbox,
        preview_html=page,
        preview_text=text,
    )


async def _send_arabic(
    face: Face, service: Service, postbox: Postbox, readers: int
) -> Outcome:
    """Add the Arabic newsletter; some readers want it too."""
    newsletter_seeds.add(
        service.db,
        shipped("config") / "newsletters" / "weekly-ar.toml",
        mail_domain=service.settings.mail.domain,
        actor=CLI,
        now=service.now(),
    )
    week = steps.read_week(shipped("config") / "sample-week-ar")
    lead, stories = steps.import_week(service, week)
    addresses = readers_of.make_readers(readers)[: min(readers, _ARABIC_READERS)]
    await _subscribe(service, week, postbox, addresses, addresses)
    edition = await _send(service, week, postbox, lead=lead, readers=len(addresses))
    face.say(f"Sent the Arabic edition too: “{edition.subject}”.")
    page, text = readers_of.write_previews(
        postbox, service.settings.home, name="preview-ar"
    )
    put_beside(service, page)
    return Outcome(
        edition=edition,
        stories=stories,
        readers=len(addresses),
        postbox=postbox,
        preview_html=page,
        preview_text=text,
    )


async def _subscribe(
    service: Service, week: Week, postbox: Postbox, asking: list[str], sure: list[str]
) -> None:
    """Let readers ask, and those who are sure confirm, by the letters they get."""
    postbox.prepare()
    readers_of.sign_readers_up(service, week.newsletter, asking)
    await _carry(service)
    readers_of.confirm_readers(service, postbox, sure)
    await _carry(service)


async def _send(
    service: Service, week: Week, postbox: Postbox, *, lead: int, readers: int
) -> Edition:
    """Compose, release and carry an edition.

    Raises:
        StateError: Not every reader got a letter.
    """
    edition = steps.compose_edition(service, week, lead=lead)
    service.release(edition.id, actor=CLI)
    await _carry(service)
    edition = steps.load_edition(service, edition.id)
    if edition.state != EditionState.SENT or len(postbox.letters) != readers:
        raise StateError(
            f"The edition is {edition.state}; "
            f"{counted(len(postbox.letters), 'letter')} came.",
            f"See: DIGEST_HOME={service.settings.home} "
            f"digest deliveries list {edition.id}",
        )
    return edition


async def _carry(service: Service) -> None:
    totals = await drain(bootstrap.make_post(service), clock=service.clock)
    if totals.trouble is not None:
        raise StateError(f"The demo's own relay failed: {totals.trouble}.")


def _lines(weekly: Outcome, arabic: Outcome, out: Path) -> list[str]:
    lines: list[str] = []
    for done in (weekly, arabic):
        count = counted(len(done.postbox.letters), "reader")
        lines += [
            f"“{done.edition.subject}” went to {count}:",
            f"  letters    {done.postbox.outbox}/*.eml",
            f"  as a page  {done.preview_html}",
            f"  as text    {done.preview_text}",
        ]
    return [
        *lines,
        f"DKIM key     {out}/dkim-record.txt, as DNS would publish it",
        f"The pages    DIGEST_HOME={out} digest serve",
        "Nothing left this machine.",
    ]
