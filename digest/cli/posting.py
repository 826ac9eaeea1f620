"""`editions release`, `pause`, `resume`, `cancel`, `test`, `status`: at the post."""

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import typer

from digest.cli.edition_changes import EditionId
from digest.cli.edition_text import edition_line, letters, load_document
from digest.cli.face import CLI, Face, face_of
from digest.domain.addresses import parse_address
from digest.domain.calendar_text import parse_instant
from digest.domain.errors import UsageError
from digest.domain.states import DeliveryState, EditionState
from digest.send import progress, steering
from digest.send.progress import Status
from digest.storage import editions, newsletters

_LOOK_SECONDS = 1.0
_WATCHED = (EditionState.SENDING, EditionState.PAUSED, EditionState.SCHEDULED)


def register(group: typer.Typer) -> None:
    """Add the commands of this module to the group `editions`."""
    group.command("release")(release_edition)
    group.command("pause")(pause_edition)
    group.command("resume")(resume_edition)
    group.command("cancel")(cancel_edition)
    group.command("test")(test_edition)
    group.command("status")(show_status)


def release_edition(
    ctx: typer.Context,
    edition: EditionId,
    *,
    at: Annotated[
        str | None,
        typer.Option(help="Later: 2026-11-29 19:00, the newsletter's time, or ISO"),
    ] = None,
) -> None:
    """Give an approved edition to the post; a worker carries it."""
    face = face_of(ctx)
    service = face.service()
    when = None
    if at is not None:
        with service.db.read() as tx:
            found = editions.get(tx, edition)
            newsletter = newsletters.get_by_id(tx, found.newsletter_id)
        when = parse_instant(at, zone=newsletter.time_zone)
        if when <= service.now():
            raise UsageError(
                f"{at} has passed in {newsletter.time_zone}.",
                "Leave out --at to send now, or name a later time.",
            )
    service.release(edition, actor=CLI, at=when)
    document = load_document(service, edition)
    if document["state"] == EditionState.SCHEDULED:
        note = f"It goes to the post at {document['scheduled_at'].isoformat()}."
    else:
        count = sum(document["counts"].values())
        note = f"{letters(count, 'waits', 'wait')} for a worker."
    face.show({"edition": document}, [edition_line(document), note])


def pause_edition(
    ctx: typer.Context,
    edition: EditionId,
    *,
    reason: Annotated[str, typer.Option(help="Shown to whoever asks")] = "",
) -> None:
    """Hand no further letter over; those under way finish."""
    face = face_of(ctx)
    service = face.service()
    steering.pause(
        service.db, edition_id=edition, reason=reason, actor=CLI, now=service.now()
    )
    _show(face, edition)


def resume_edition(ctx: typer.Context, edition: EditionId) -> None:
    """Go on with a paused edition."""
    face = face_of(ctx)
    service = face.service()
    steering.resume(service.db, edition_id=edition, actor=CLI, now=service.now())
    _show(face, edition)


def cancel_edition(ctx: typer.Context, edition: EditionId) -> None:
    """Send nothing of an edition, or nothing further; this cannot be undone."""
    face = face_of(ctx)
    service = face.service()
    effect = steering.cancel(
        service.db, edition_id=edition, actor=CLI, now=service.now()
    )
    face.show(
        {"state": EditionState.CANCELLED, **asdict(effect)},
        f"Edition {edition} is cancelled: "
        f"{letters(effect.skipped, 'is not sent', 'are not sent')}, "
        f"{effect.under_way} under way, {effect.sent} sent before.",
    )


def test_edition(
    ctx: typer.Context,
    edition: EditionId,
    *,
    to: Annotated[str, typer.Option(help="One address")],
) -> None:
    """Send one letter of an edition to the desk, marked [TEST]; a worker carries it."""
    face = face_of(ctx)
    address = parse_address(to)
    notice = face.service().send_proof(edition, address=address, actor=CLI)
    face.show(
        {"notice": notice, "address": address.address},
        f"A test letter to {address.address} waits for a worker.",
    )


def show_status(
    ctx: typer.Context,
    edition: EditionId,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Until it is through")] = False,
) -> None:
    """Say how far an edition is."""
    face = face_of(ctx)
    service = face.service()
    if watch:
        _watch(face, edition)
    status = progress.status(service.db, edition_id=edition, now=service.now())
    face.show(_document(status), list(_lines(edition, status)))


def _watch(face: Face, edition: int) -> None:
    """Show progress on stderr until nothing moves any more."""
    service = face.service()
    status = progress.status(service.db, edition_id=edition, now=service.now())
    total = sum(status.counts.values()) or None
    with face.progress("sending", total) as bar:
        while status.state in _WATCHED:
            status = progress.status(service.db, edition_id=edition, now=service.now())
            total = sum(status.counts.values()) or None
            left = sum(status.counts[state] for state in _OPEN)
            bar.update(bar.task_ids[0], completed=(total or left) - left, total=total)
            if status.state in _WATCHED:
                time.sleep(_LOOK_SECONDS)


_WAITING = (DeliveryState.QUEUED, DeliveryState.DEFERRED)
_OPEN = (*_WAITING, DeliveryState.DISPATCHING)


def _show(face: Face, edition: int) -> None:
    service = face.service()
    status = progress.status(service.db, edition_id=edition, now=service.now())
    face.show(_document(status), list(_lines(edition, status)))


def _document(status: Status) -> dict[str, Any]:
    return asdict(status)


def _lines(edition: int, status: Status) -> Iterator[str]:
    counts = ", ".join(f"{n} {state}" for state, n in status.counts.items() if n)
    why = f" ({status.pause_reason})" if status.pause_reason else ""
    yield f"Edition {edition} is {status.state}{why}: {counts or 'no letters yet'}."
    if status.state == EditionState.PAUSED:
        yield from _pause_lines(edition, status)
    if status.rate_per_second:
        yield f"Letters a second: {status.rate_per_second:g}."
    if status.eta is not None:
        yield f"Through at about {status.eta:%H:%M:%S} UTC."
    if status.counts[DeliveryState.UNCERTAIN]:
        yield (
            "The answer to some was lost. See: digest deliveries list "
            f"{edition} --state uncertain, then: digest deliveries settle {edition} "
            "--uncertain resend (or sent)"
        )


def _pause_lines(edition: int, status: Status) -> Iterator[str]:
    """Say what the pause does, in numbers, and the two ways out of it."""
    waiting = sum(status.counts[s] for s in _WAITING)
    under_way = status.counts[DeliveryState.DISPATCHING]
    finish = f"; those under way ({under_way}) finish" if under_way else ""
    yield f"{letters(waiting, 'waits', 'wait')}{finish}."
    if status.counts[DeliveryState.DEFERRED]:
        yield f"What servers said: digest deliveries list {edition} --state deferred"
    yield (
        f"Go on: digest editions resume {edition}; "
        f"stop: digest editions cancel {edition}"
    )
