"""`subscribers`: readers one by one, and the list as a whole."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from digest.cli import subscriber_lists
from digest.cli.face import CLI, counted, face_of
from digest.domain.addresses import parse_address
from digest.domain.errors import NotFoundError, UsageError
from digest.domain.states import SubscriptionState
from digest.domain.subscribers import LetterFormat, Origin
from digest.storage import newsletters, subscriber_figures, subscribers
from digest.subscriptions import (
    dossier,
    erase,
    leave,
    opt_in,
    sign_up,
    statistics,
    suppressing,
)
from digest.subscriptions.sign_up import SignUp

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="An e-mail address")]
Newsletter = Annotated[str, typer.Option(help="Its name")]
Because = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why")]

_ORIGIN = Origin(source="cli")
_SIGN_UPS = {
    SignUp.MAILED: "A confirmation letter is in the queue.",
    SignUp.ACTIVE: "Gets the letter already; nothing is mailed.",
    SignUp.LIMITED: "Was asked too often without confirming; nothing is mailed.",
    SignUp.SUPPRESSED: "Is suppressed; nothing is mailed.",
}


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="Readers and the list of them.", no_args_is_help=True)
    group.command("add")(add)
    group.command("list")(list_readers)
    group.command("show")(show)
    group.command("unsubscribe")(unsubscribe)
    group.command("suppress")(suppress)
    group.command("unsuppress")(unsuppress)
    group.command("erase")(erase_reader)
    group.command("stats")(show_statistics)
    subscriber_lists.register(group)
    app.add_typer(group, name="subscribers")


def add(
    ctx: typer.Context,
    address: Address,
    *,
    newsletter: Newsletter = "weekly",
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="Active at once; needs --consent")
    ] = False,
    consent: Annotated[
        str, typer.Option(metavar="TEXT", help="What the reader agreed to, and when")
    ] = "",
    name: Annotated[str, typer.Option(help="The reader's name")] = "",
    sections: Annotated[str, typer.Option(help="Wanted slugs: news,arts")] = "",
    letter_format: Annotated[
        LetterFormat, typer.Option("--format", help="html or text")
    ] = LetterFormat.HTML,
) -> None:
    """Add a reader: by a confirmation letter, or --confirmed with proof of consent."""
    face = face_of(ctx)
    if confirmed != bool(consent.strip()):
        raise UsageError(
            "--confirmed and --consent TEXT go together.",
            "Give both, or neither to mail a confirmation letter.",
        )
    service = face.service()
    parsed = parse_address(address)
    wanted = tuple(part.strip() for part in sections.split(",") if part.strip())
    if confirmed:
        opt_in.record(
            service.db,
            newsletter=newsletter,
            address=parsed,
            sections=wanted,
            letter_format=letter_format,
            name=name,
            origin=Origin(source="cli", wording=consent.strip()),
            secrets=service.secrets,
            actor=CLI,
            now=service.now(),
        )
        outcome, line = "recorded", "Gets the next edition."
    else:
        asked = sign_up.request(
            service.db,
            newsletter=newsletter,
            address=parsed,
            sections=wanted,
            letter_format=letter_format,
            name=name,
            origin=_ORIGIN,
            rules=None,
            site=service.site,
            secrets=service.secrets,
            templates=service.templates,
            actor=CLI,
            now=service.now(),
        )
        outcome, line = asked, _SIGN_UPS[asked]
    face.show({"address": parsed.address, "outcome": outcome}, line)


def list_readers(
    ctx: typer.Context,
    *,
    newsletter: Newsletter = "weekly",
    state: Annotated[SubscriptionState | None, typer.Option(help="Only these")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many")] = 50,
    after: Annotated[int, typer.Option(min=0, help="The page's `next`")] = 0,
) -> None:
    """List the readers of a newsletter."""
    face = face_of(ctx)
    with face.service().db.read() as tx:
        found = subscriber_figures.list_page(
            tx,
            newsletter_id=newsletters.get(tx, newsletter).id,
            state=state,
            after=after,
            limit=limit + 1,
        )
    lines = [f"{each.id:>8}  {each.state:<12}  {each.address}" for each in found]
    items = [asdict(each) for each in found]
    face.show_page(items, lines, limit=limit, none="No readers.")


def show(ctx: typer.Context, address: Address) -> None:
    """Show everything that is known of an address."""
    face = face_of(ctx)
    service = face.service()
    found = dossier.look_up(
        service.db, address=parse_address(address), secrets=service.secrets
    )
    lines = [f"{found['address']}  {found['name']}".strip()]
    for held in found["subscriptions"]:
        kept = ",".join(held["sections"]) or "all sections"
        since = _day(held["since"])
        lines.append(
            f"  {held['newsletter']}: {held['state']} since {since}, "
            f"{kept}, {held['format']}"
        )
    if found["suppression"] is not None:
        barred = found["suppression"]
        lines.append(f"  suppressed: {barred['reason']} since {_day(barred['at'])}")
    lines += [
        f"  {_day(each['at'])} consent {each['action']}: {each['source']}"
        for each in found["consent"]
    ]
    lines += [
        f"  {_day(each['at'])} {each['action']} by {each['actor']}"
        for each in found["history"]
    ]
    face.show(found, lines)


def unsubscribe(
    ctx: typer.Context,
    address: Address,
    *,
    newsletter: Annotated[
        str | None, typer.Option(help="Its name; default: every newsletter")
    ] = None,
) -> None:
    """End an address's subscriptions."""
    face = face_of(ctx)
    service = face.service()
    left = leave.unsubscribe_address(
        service.db,
        address=parse_address(address),
        newsletter=newsletter,
        origin=_ORIGIN,
        actor=CLI,
        now=service.now(),
    )
    line = f"Left: {', '.join(left)}." if left else "There was nothing to leave."
    face.show({"left": list(left)}, line)


def suppress(ctx: typer.Context, address: Address, *, because: Because) -> None:
    """Never write to an address again, whatever it is subscribed to."""
    face = face_of(ctx)
    service = face.service()
    found = suppressing.suppress(
        service.db,
        address=parse_address(address),
        because=because,
        secrets=service.secrets,
        actor=CLI,
        now=service.now(),
    )
    document = {"reason": found.reason, "at": found.at, "detail": found.detail}
    face.show({"suppression": document}, f"Suppressed: {found.reason}.")


def unsuppress(ctx: typer.Context, address: Address, *, because: Because) -> None:
    """Allow letters to an address again."""
    face = face_of(ctx)
    service = face.service()
    found = suppressing.unsuppress(
        service.db,
        address=parse_address(address),
        because=because,
        secrets=service.secrets,
        actor=CLI,
        now=service.now(),
    )
    face.show(
        {"suppression": None, "was": {"reason": found.reason, "at": found.at}},
        f"No longer suppressed (was: {found.reason}).",
    )


def erase_reader(ctx: typer.Context, address: Address) -> None:
    """Erase an address everywhere; only a keyed hash stays, to keep it off the list."""
    face = face_of(ctx)
    service = face.service()
    with service.db.read() as tx:
        reader = subscribers.find(tx, parse_address(address).key)
    if reader is None:
        raise NotFoundError("Nobody with that address is known.", "Check its spelling.")
    erase.erase(
        service.db,
        subscriber_id=reader.id,
        secrets=service.secrets,
        actor=CLI,
        now=service.now(),
    )
    face.show({"id": reader.id, "erased": True}, "Erased.")


def show_statistics(ctx: typer.Context) -> None:
    """Count readers by newsletter and state, and suppressions by reason."""
    face = face_of(ctx)
    service = face.service()
    found = statistics.count(service.db, rules=service.settings.sign_up.rules)
    document = {
        "readers": found.readers,
        "erased": found.erased,
        "newsletters": found.newsletters,
        "suppressions": found.suppressions,
        "domains": _domains(found.domains),
        "disposable": _domains(found.disposable),
    }
    lines = [f"{counted(found.readers, 'reader')}, {found.erased:,} erased"]
    for slug, states in found.newsletters.items():
        lines.append(f"{slug}: " + ", ".join(f"{n} {s}" for s, n in states.items()))
    barred = ", ".join(f"{n} {reason}" for reason, n in found.suppressions.items())
    lines.append(f"suppressed: {barred}")
    lines += [f"  {n:>8}  {name}" for name, n in found.domains]
    if found.disposable:
        thrown = ", ".join(f"{n} {name}" for name, n in found.disposable)
        lines.append(f"warning: throw-away domains: {thrown}")
    face.show(document, lines)


def _domains(found: list[tuple[str, int]]) -> list[dict[str, object]]:
    return [{"domain": name, "readers": count} for name, count in found]


def _day(at: datetime) -> str:
    return at.date().isoformat()
