"""`editions preview`: one reader's letter, as a page, as text or as a whole message."""

from datetime import UTC, date, datetime
from enum import StrEnum
from html import escape
from pathlib import Path
from typing import Annotated

import typer

from digest.bootstrap import Service
from digest.cli.edition_changes import EditionId
from digest.cli.face import face_of
from digest.compose.preview import Preview, preview
from digest.domain.addresses import parse_address
from digest.domain.deliveries import Delivery
from digest.domain.issue import local_date, write_date
from digest.domain.slots import Slot, split
from digest.domain.states import DeliveryState
from digest.domain.theme import read_theme
from digest.send.letter import EditionLetters
from digest.send.release import imprint_of

_NOBODY = "reader@example.com"
_NO_LINK = "preview"


class Format(StrEnum):
    """What `preview` writes."""

    HTML = "html"  # the HTML part
    TEXT = "text"  # the plain-text part
    EML = "eml"  # the whole message, unsigned


def preview_edition(
    ctx: typer.Context,
    edition: EditionId,
    *,
    as_format: Annotated[
        Format, typer.Option("--format", help="html, text or eml")
    ] = Format.HTML,
    sections: Annotated[
        str, typer.Option(help="Sections a reader chose: news,arts; none: all")
    ] = "",
    to: Annotated[str, typer.Option(help="The reader's address in it")] = _NOBODY,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Write a file instead")
    ] = None,
) -> None:
    """Show what a reader gets; its personal links lead nowhere."""
    face = face_of(ctx)
    service = face.service()
    address = parse_address(to).address
    chosen = [slug.strip() for slug in sections.split(",") if slug.strip()]
    found = preview(
        service.db,
        edition_id=edition,
        sections=chosen,
        templates=service.templates,
        site=service.site,
    )
    content = _write(found, as_format, address, service)
    document = {
        "id": edition,
        "format": as_format,
        "subject": found.variant.subject,
        "frozen": found.is_frozen,
    }
    if out is not None:
        out.write_bytes(content)
        size = {"file": out, "size_bytes": len(content)}
        face.show(document | size, f"Wrote {out} ({len(content):,} bytes).")
        return
    text = content.decode("utf-8")
    face.show(document | {"content": text}, text.rstrip("\n"))


def _write(found: Preview, wanted: Format, address: str, service: Service) -> bytes:
    today = local_date(service.now(), found.newsletter.time_zone)
    if wanted == Format.EML:
        return _message(found, address, today, service)
    text = found.variant.text
    if wanted == Format.HTML:
        assert found.variant.html is not None, "a preview has both parts"
        text, address = found.variant.html, escape(address)
    theme = read_theme(found.newsletter.theme, direction=found.newsletter.direction)
    values = {
        Slot.UNSUBSCRIBE_TOKEN: _NO_LINK,
        Slot.PREFERENCES_TOKEN: _NO_LINK,
        Slot.ADDRESS: address,
        Slot.CONFIRMED_ON: write_date(
            today, language=found.newsletter.language, digits=theme.digits
        ),
    }
    pieces = (values[p] if isinstance(p, Slot) else p for p in split(text))
    return "".join(pieces).encode("utf-8")


def _message(found: Preview, address: str, today: date, service: Service) -> bytes:
    letters = EditionLetters(
        imprint_of(found.edition, found.newsletter, service.site),
        [found.variant],
        secrets=service.secrets,
        signer=None,
    )
    nobody = Delivery(
        id=0,
        edition_id=found.edition.id,
        subscription_id=0,
        variant_id=found.variant.id,
        address=address,
        confirmed_on=today,
        key_id=service.secrets.tokens.current,
        state=DeliveryState.QUEUED,
        attempts=0,
        refusals=0,
        first_attempt_at=None,
        dated_at=None,
    )
    now: datetime = service.now().astimezone(UTC)
    return letters.write(nobody, dated_at=now).message
