"""`mail test`: one signed letter, now, and what the server answered."""

import asyncio
from typing import Annotated

import typer

from digest.bootstrap import Service, mailing
from digest.cli.face import CLI, face_of
from digest.domain.addresses import parse_address
from digest.domain.errors import DigestError, StateError
from digest.domain.letters import NewNotice, NoticeKind
from digest.domain.newsletters import Newsletter
from digest.domain.states import DeliveryState
from digest.domain.theme import read_theme
from digest.send.notice_letter import NoticeLetters
from digest.send.probe import send_probe
from digest.storage import newsletters

Address = Annotated[str, typer.Argument(help="Who gets the letter: you.")]
FromNewsletter = Annotated[
    str | None, typer.Option("--newsletter", help="Whose sender; default: the first.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="Try the way to the relay.", no_args_is_help=True)
    group.command("test")(send_test)
    # Without this a group of one command is that command.
    group.callback()(lambda: None)
    app.add_typer(group, name="mail")


def send_test(
    ctx: typer.Context, address: Address, *, newsletter: FromNewsletter = None
) -> None:
    """Send one signed letter through the relay and say what it answered."""
    face = face_of(ctx)
    service = face.service()
    reader = parse_address(address)
    signer = mailing.make_signer(service.settings)
    if signer is None and service.settings.dkim.mode == "self":
        face.say("warning: there is no DKIM key, so the letter goes unsigned.")
    letters = NoticeLetters(site=service.site, secrets=service.secrets, signer=signer)
    letter = _write(
        service, _sender(service, newsletter), reader.address, signed=signer is not None
    )
    result = asyncio.run(
        send_probe(
            service.db,
            letter,
            relay=mailing.make_relay(service.settings),
            letters=letters,
            actor=CLI,
            now=service.now().replace(microsecond=0),
        )
    )
    answer = f"{result.smtp_code} {result.smtp_text}" if result.smtp_code else ""
    relay = _relay(service)
    if result.state != DeliveryState.SENT:
        raise DigestError(
            f"{relay} did not take the letter: {answer or result.reason}.",
            "Run: digest doctor",
        )
    face.show(
        {
            "address": reader.address,
            "state": result.state,
            "smtp_code": result.smtp_code,
            "smtp_text": result.smtp_text,
            "signed": signer is not None,
        },
        f"{relay} took the letter to {reader.address}: {answer}",
    )


def _sender(service: Service, slug: str | None) -> Newsletter:
    with service.db.read() as tx:
        if slug is not None:
            return newsletters.get(tx, slug)
        known = newsletters.list_all(tx)
    if not known:
        raise StateError("There is no newsletter to send from.", "Run: digest init")
    return known[0]


def _write(
    service: Service, newsletter: Newsletter, address: str, *, signed: bool
) -> NewNotice:
    letter = service.templates.letter(
        "probe",
        language=newsletter.language,
        context={
            "newsletter": newsletter,
            "theme": read_theme(newsletter.theme, direction=newsletter.direction),
            "mail_domain": service.settings.mail.domain,
            "dkim_domain": service.settings.dkim_domain,
            "relay": _relay(service),
            "signed": signed,
        },
    )
    return NewNotice(
        kind=NoticeKind.PROBE,
        address=address,
        sender=newsletter.sender,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        language=newsletter.language,
        newsletter_id=newsletter.id,
    )


def _relay(service: Service) -> str:
    return f"{service.settings.smtp.host}:{service.settings.smtp.port}"
