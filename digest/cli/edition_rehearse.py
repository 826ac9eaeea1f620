"""`editions rehearse`: send an edition to its whole list, and to nobody."""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import typer

from digest import bootstrap
from digest.bootstrap import Service
from digest.cli import loops
from digest.cli.edition_changes import EditionId
from digest.cli.edition_text import letters
from digest.cli.face import CLI, Face, face_of
from digest.cli.rehearsal import Server, Taken, counting_server, stage
from digest.compose.freeze import render_all
from digest.dispatch.port import InProcess
from digest.domain.rates import RateRules, least_time
from digest.domain.states import DeliveryState
from digest.mail.relay import Relay
from digest.send import rehearsal
from digest.send.post import Post
from digest.send.rehearsal import Heard, Prepared
from digest.send.worker import drain
from digest.storage.engine import Database

_LOOK_SECONDS = 0.5


def register(group: typer.Typer) -> None:
    """Add the command of this module to the group `editions`."""
    group.command("rehearse")(rehearse_edition)


def rehearse_edition(ctx: typer.Context, edition: EditionId) -> None:
    """Render, sign and post every letter of an edition to a server of our own.

    Nobody gets mail, and the edition stays as it is. Says how long it would take.
    """
    signal.signal(signal.SIGTERM, _end)
    face = face_of(ctx)
    service = face.service()
    with stage(service.settings.home) as scratch:
        document = _rehearse(face, service, scratch, edition)
    face.show(document, list(_lines(document)))
    if document["failed"] or document["signature_faults"]:
        raise typer.Exit(1)


def _end(*_: object) -> None:
    # Unwinds, so that the folder with the copied addresses goes.
    raise SystemExit(128 + signal.SIGTERM)


def _rehearse(
    face: Face, service: Service, scratch: Database, edition_id: int
) -> dict[str, Any]:
    now, began = service.now(), time.monotonic()
    rendered = render_all(
        service.db,
        edition_id=edition_id,
        templates=service.templates,
        site=service.site,
        now=now,
    )
    prepared = rehearsal.prepare(
        service.db,
        scratch,
        edition=rendered.edition,
        variants=rendered.variants,
        site=service.site,
        key_id=service.secrets.tokens.current,
        actor=CLI,
        now=now,
    )
    released = time.monotonic()
    post = bootstrap.make_post(service)
    with counting_server(post.signer) as server:
        started = time.monotonic()
        _carry(face, service, _rehearsing(post, scratch, server), edition_id, prepared)
        seconds = time.monotonic() - started
        taken = server.finish()
    heard = rehearsal.hear(scratch, edition_id=edition_id, now=service.now())
    least = least_time(service.settings.rates, prepared.by_domain, now=now)
    document = _document(prepared, heard, taken, seconds=seconds, least=least) | {
        "edition": edition_id,
        "variants": len(rendered.variants),
        "prepare_seconds": round(released - began, 3),
        "signed": post.signer is not None,
    }
    rehearsal.note(
        service.db,
        edition_id=edition_id,
        actor=CLI,
        now=service.now(),
        **{name: document[name] for name in ("letters", "sent", "would_take_seconds")},
    )
    return document


def _rehearsing(post: Post, scratch: Database, server: Server) -> Post:
    """Turn a worker's parts to the scratch database and the server that counts."""
    return replace(
        post,
        db=scratch,
        relay=Relay(host="127.0.0.1", port=server.port, security="none"),
        release=lambda _: None,
        guard=None,
        rates=RateRules(),
        pause_share=1,
        dispatch=InProcess(),
    )


def _carry(
    face: Face, service: Service, post: Post, edition_id: int, prepared: Prepared
) -> None:
    async def run(bar: Any) -> None:
        looking = asyncio.create_task(look(bar)) if not bar.disable else None
        await drain(post, clock=service.clock)
        if looking is not None:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking

    async def look(bar: Any) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            found = await asyncio.to_thread(
                rehearsal.hear, post.db, edition_id=edition_id, now=service.now()
            )
            sent = found.counts.get(DeliveryState.SENT, 0)
            bar.update(bar.task_ids[0], completed=sent)

    with face.progress("Rehearsing", prepared.letters) as bar:
        loops.run(run(bar))


def _document(
    prepared: Prepared,
    heard: Heard,
    taken: Taken,
    *,
    seconds: float,
    least: timedelta,
) -> dict[str, Any]:
    sent = heard.counts.get(DeliveryState.SENT, 0)
    skipped = heard.counts.get(DeliveryState.SKIPPED, 0)
    limit = least.total_seconds()
    return {
        "letters": prepared.letters,
        "sent": sent,
        "skipped": skipped,
        "failed": prepared.letters - sent - skipped,
        "failures": [
            {"address": each.address, "reason": each.reason} for each in heard.failures
        ],
        "taken": taken.letters,
        "megabytes": round(taken.octets / 1_000_000, 1),
        "signatures_verified": taken.verified,
        "signature_faults": list(taken.faults),
        "seconds": round(seconds, 3),
        "per_second": round(sent / seconds, 1),
        "limits_seconds": round(limit, 1),
        "would_take_seconds": round(max(seconds, limit), 1),
    }


def _lines(document: dict[str, Any]) -> Iterator[str]:
    took = letters(document["sent"], "was", "were")
    yield (
        f"{took} rendered, signed and posted to this machine in "
        f"{document['seconds']:.1f} s: {document['per_second']:,} a second, "
        f"{document['megabytes']:,} MB."
        if document["signed"]
        else f"{took} rendered and posted, unsigned, to this machine in "
        f"{document['seconds']:.1f} s: {document['per_second']:,} a second, "
        f"{document['megabytes']:,} MB."
    )
    if document["skipped"]:
        yield f"{letters(document['skipped'], 'is', 'are')} skipped: no story for them."
    if document["signatures_verified"]:
        faults = ", ".join(document["signature_faults"]) or "all of them hold"
        yield f"{document['signatures_verified']} signatures were verified: {faults}."
    for failure in document["failures"]:
        yield f"failed: {failure['address']}: {failure['reason']}"
    yield (
        f"The edition would take {_length(document['would_take_seconds'])}, by the "
        "limits of speed that are set."
        if document["limits_seconds"] > document["seconds"]
        else f"The edition would take {_length(document['would_take_seconds'])} with a "
        "relay that is as quick, and one worker process."
    )
    yield "Nobody got mail; the edition is as it was."


def _length(seconds: float) -> str:
    if seconds < 1:
        return "less than a second"
    return str(timedelta(seconds=round(seconds)))
